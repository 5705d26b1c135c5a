/** How an event is written in a record. */

/** Code and field order of one version of one type of event, for ever. */
export interface EventLayout {
  readonly code: number;
  readonly v: number;
  readonly fields: readonly string[];
}

/** The layouts of some types of event, each with the fields that it has. */
export type LayoutsOf<E extends { readonly type: string }> = {
  readonly [T in E["type"]]: EventLayout & {
    readonly fields: readonly Exclude<keyof Extract<E, { readonly type: T }>, "type" | "v">[];
  };
};
