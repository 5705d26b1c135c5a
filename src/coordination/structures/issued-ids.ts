/** Whether this id is the letter and one of the numbers from 1 to `count`: so that ids given out need not be remembered. */
export function wasIssued(id: string, letter: string, count: number): boolean {
  const number = Number(id.slice(1));
  return Number.isInteger(number) && number >= 1 && number <= count && id === `${letter}${number}`;
}
