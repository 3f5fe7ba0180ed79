/* The 24 shapes of the live comparison's picture, drawn for this page in a box of 48.
 *
 * Two people tell them apart at a glance, or by their words on the phone: so each has an outline
 * that no other has, also without any colour. A shape is made of layers, all in its
 * one colour and within one dark outline, in this order:
 *
 *     rods    lines as thick as a finger         body   surfaces; of a list, each over the ones before
 *     light   pale surfaces on them              shine  pale strokes
 *     lines   dark strokes                       dots   dark spots
 *
 * The names are the protocol's (docs/PROTOCOL.md, section 4.8), as the program sends them.
 */
const round = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 1 ${2 * r} 0a${r} ${r} 0 1 1 ${-2 * r} 0z`;

/** `draw` at each of `count` equal steps around a middle: the petals of a flower. */
function around(count, draw) {
  return Array.from({ length: count }, (_, index) => draw((index / count) * 2 * Math.PI)).join("");
}

const at = (angle, distance, [x, y]) => [x + distance * Math.sin(angle), y - distance * Math.cos(angle)].map((n) => Number(n.toFixed(2)));

function ray(angle) {
  const middle = [24, 24];
  const [a, tip, b] = [at(angle - 0.2, 13, middle), at(angle, 21.5, middle), at(angle + 0.2, 13, middle)];
  return `M${a}L${tip}L${b}z`;
}

function star(points, outer, inner, middle) {
  const corners = Array.from({ length: 2 * points }, (_, index) => at((index / points) * Math.PI, index % 2 ? inner : outer, middle));
  return `M${corners.join("L")}z`;
}

export const SHAPES = new Map(Object.entries({
  anchor: {
    rods: "M24 14V41M15 19H33M7 28C7 37 14 42 24 42S41 37 41 28",
    body: "M2 31L7 21L13 29zM46 31L41 21L35 29zM24 2A6.5 6.5 0 1 1 24 15A6.5 6.5 0 1 1 24 2zM24 5.5A3 3 0 1 0 24 11.5A3 3 0 1 0 24 5.5z",
  },
  apple: {
    rods: "M24 18Q23.5 10 19.5 5",
    body: "M24 16C20 11 6 11 6 25C6 36 13 44 18.5 44C21 44 22 43 24 43S27 44 29.5 44C35 44 42 36 42 25C42 11 28 11 24 16zM26 11C27 5 33 3 39 4C38 10 33 13 26 11z",
    shine: "M12 22Q10.5 27 13 32",
  },
  bell: {
    body: [round(24, 40, 5), round(24, 7, 4), "M24 7C14 7 11 15 11 22C11 30 9 32 5 35V38H43V35C39 32 37 30 37 22C37 15 34 7 24 7z"],
    shine: "M17 17Q16 20 16 25",
    lines: "M9.5 32H38.5",
  },
  boat: {
    rods: "M23.3 4V33",
    body: "M4 33H44C43 40 39 44 33 44H15C9 44 5 40 4 33zM27.5 5C35 10 40 18 41 28H27.5zM19 11V28H6C8 20 12 14 19 11z",
  },
  book: {
    body: "M24 13C18 8 11 7 3 8V38C11 37 18 38 24 43C30 38 37 37 45 38V8C37 7 30 8 24 13z",
    lines: "M24 13V43M9 16Q14 16 18.5 18.5M9 23Q14 23 18.5 25.5M9 30Q14 30 18.5 32.5M39 16Q34 16 29.5 18.5M39 23Q34 23 29.5 25.5M39 30Q34 30 29.5 32.5",
  },
  candle: {
    rods: "M37 38a4.5 4.5 0 1 1 5 -4.5",
    body: ["M17 21H31V40H17z", "M7 39H41C41 43 38 45.5 34 45.5H14C10 45.5 7 43 7 39z", "M24 2C29 7 30.5 9.5 30.5 12A6.5 6.5 0 0 1 17.5 12C17.5 9.5 19 7 24 2z"],
    light: "M24 10Q26.5 13 24 14.5Q21.5 13 24 10z",
    shine: "M20.5 25V35",
    lines: "M24 18V21",
  },
  cat: {
    body: "M6 5L17 12C21 10.5 27 10.5 31 12L42 5C44 14 43 20 43 27C43 37 35 43 24 43S5 37 5 27C5 20 4 14 6 5z",
    lines: "M24 32V34M24 34Q21 38 18 36M24 34Q27 38 30 36M3 28L12 30M3 36L12 34M45 28L36 30M45 36L36 34",
    dots: "M16 21a2.3 3 0 1 0 .01 0zM32 21a2.3 3 0 1 0 .01 0zM21.5 29.5H26.5L24 32.5z",
  },
  cloud: {
    body: "M13 39A9.5 9.5 0 0 1 10.5 20.5A9 9 0 0 1 19 14.5A11.5 11.5 0 0 1 39 20A9.7 9.7 0 0 1 36 39z",
    shine: "M21 20Q25 16.5 30 18.5",
  },
  crown: {
    body: `M4 15L14 24L24 9L34 24L44 15L40 41H8z${round(4.5, 14, 3)}${round(24, 8, 3.5)}${round(43.5, 14, 3)}`,
    lines: "M9 34.5H39",
    dots: "M24 22L27 26.5L24 31L21 26.5zM14 29a1.8 1.8 0 1 0 .01 0zM34 29a1.8 1.8 0 1 0 .01 0z",
  },
  cup: {
    rods: "M34 23H37.5A5.5 5.5 0 0 1 37.5 34H34M15 14C11.5 10.5 18.5 8 15 4M26 14C22.5 10.5 29.5 8 26 4",
    body: "M6 18H35V34C35 40 31 44 26 44H15C10 44 6 40 6 34z",
    shine: "M11.5 25V33Q11.5 36 13.5 38",
  },
  fish: {
    body: ["M18 13C20 5 26 4 31 5C31 8 30 11 28 14z", "M2 25C8 15 15 10 23 10C30 10 34 15 37 19.5L46 11V39L37 30.5C34 35 30 40 23 40C15 40 8 35 2 25z"],
    lines: "M18 17Q23 25 18 33M25 21Q29 25 25 29M31 21Q35 25 31 29",
    dots: "M11 19a2.3 2.3 0 1 0 .01 0z",
  },
  flag: {
    rods: "M10 6V44",
    body: "M13 7C20 3 24 12 31 10C35 9 39 7 44 8V28C39 27 35 29 31 30C24 32 20 23 13 27z",
    shine: "M18 11.5Q22 11.5 25 13.5",
  },
  flower: {
    rods: "M24 26V44",
    body: ["M24 43C17 44 11 40 9 34C17 33 23 36 24 43z", "M24 43C31 44 37 40 39 34C31 33 25 36 24 43z", around(6, (angle) => round(...at(angle, 8.8, [24, 16]), 5.2)) + round(24, 16, 6)],
    light: round(24, 16, 4.6),
    lines: round(24, 16, 4.6),
  },
  hat: {
    body: ["M12 7Q24 3 36 7L34 34H14z", "M2 32C8 34 12 35 24 35S40 34 46 32C47 39 38 43 24 43S1 39 2 32z"],
    lines: "M13.7 26Q24 29 34.3 26",
    shine: "M17.5 11L18.5 20",
  },
  house: {
    body: ["M32 17V7H38V22z", "M8 22H40V44H8z", "M2 25L24 5L46 25z"],
    light: "M12.5 29H20V36H12.5z",
    lines: "M12.5 29H20V36H12.5zM27 44V31H35V44",
    dots: "M32.5 37.5a1 1 0 1 0 .01 0z",
  },
  key: {
    body: "M13 11A12 12 0 0 1 24.6 20H46V35H40V28H36V33H30V28H24.6A12 12 0 1 1 13 11zM13 18.5A4.5 4.5 0 1 0 13 27.5A4.5 4.5 0 1 0 13 18.5z",
    shine: "M5.5 21Q7 16.5 11 15.2",
  },
  kite: {
    body: ["M31 1L46 14L25 33.5L13 10z", "M18.5 38.5L15 32.5L20.5 32.5zM18.5 38.5L16.5 45L22 44.5zM8 41L4 35.5L9.5 35zM8 41L6.5 47L12 46.5z"],
    lines: "M31 1L25 33.5M13 10L46 14M25 33.5Q25 38.5 18.5 38.5T3 42",
  },
  leaf: {
    rods: "M12 36L5 44",
    body: "M11 37C4 20 15 5 43 4C45 30 30 45 11 37z",
    lines: "M10 38L33 15M18 30V19M18 30H29M25 23V15M25 23H34",
  },
  moon: {
    body: "M30 3A21 21 0 1 0 44 34A17 17 0 0 1 30 3z",
    light: "M14.5 18a2.5 2.5 0 1 0 .01 0zM20 31a3.2 3.2 0 1 0 .01 0zM11 27a1.5 1.5 0 1 0 .01 0z",
  },
  mushroom: {
    body: ["M17 27H31C31 34 34 38 34 41C34 46 14 46 14 41C14 38 17 34 17 27z", "M3 26C3 13 12 4 24 4S45 13 45 26C45 30 3 30 3 26z"],
    light: "M24 8.5a4 3.5 0 1 0 .01 0zM12.5 16a3 3 0 1 0 .01 0zM35.5 16a3 3 0 1 0 .01 0zM24 19.5a2.5 2.2 0 1 0 .01 0z",
  },
  star: {
    body: star(5, 22, 9.6, [24, 26]),
    shine: "M22.5 15L19.5 22",
  },
  sun: {
    body: `${around(12, ray)}${round(24, 24, 11.5)}`,
    lines: "M18.5 26.5Q24 32 29.5 26.5",
    dots: "M20 20a1.6 1.9 0 1 0 .01 0zM28 20a1.6 1.9 0 1 0 .01 0z",
  },
  tree: {
    body: ["M20 37H28V46H20z", "M24 17L43 38H5z", "M24 9L39 28H9z", "M24 2L35 18H13z"],
    shine: "M20.5 13.5L24 8.5",
  },
  umbrella: {
    rods: "M24 24V39A5 5 0 0 1 14 39",
    body: ["M24 2.5L25.5 7H22.5z", "M2 27C2 15 11 6.5 24 6.5S46 15 46 27Q42.5 23 38.7 27Q35 23 31.3 27Q27.7 23 24 27Q20.3 23 16.7 27Q13 23 9.3 27Q5.5 23 2 27z"],
    lines: "M24 6.5C18 12 16.5 19 16.7 27M24 6.5C30 12 31.5 19 31.3 27",
  },
}));

export const COLOURS = new Set(["red", "orange", "yellow", "green", "blue", "purple", "brown", "grey"]);
