/** What is to be summed up: paragraphs of plain sentences. */
export const texts: Readonly<Record<string, readonly string[]>> = {
  tides: [
    "The moon pulls at the sea, and the sea rises where the moon stands. On the far side of the earth the sea rises too, because the earth is pulled away from it.",
    "Twice a day the tide comes in at most coasts. When sun and moon pull in one line, the tide is highest; when they pull at right angles, it is lowest.",
    "In narrow bays the tide is pressed together. The highest tide in the world, in the Bay of Fundy, rises by sixteen metres.",
  ],
  bees: [
    "A bee that has found flowers dances in the hive. The direction of the dance tells the direction of the flowers, seen from the sun.",
    "The length of the dance tells how far the flowers are. Other bees follow the dance in the dark and learn it by touch.",
    "When a swarm needs a new home, scouts dance for the places that they have seen. Bees that dance for a poor place stop sooner, and at last all dance for one.",
    "So a swarm of bees decides without a leader. The queen takes no part in it.",
  ],
  bridges: [
    "A stone bridge stands because its stones press against one another. An arch of stone needs no mortar, only weight above it and firm ground at its feet.",
    "A bridge of steel can hang. Its cables carry the deck, and its towers carry the cables; wind is what such a bridge has to fear.",
    "In 1940 the wind tore down the bridge at Tacoma, four months after it was opened. Since then models of long bridges are tried in wind tunnels.",
  ],
};
