// @ts-check
/** The demo's table, line by line, so that rows appear as they happen. */

const COLOURS = { green: 32, red: 31, bold: 1, dim: 2 };
const WIDTHS = { number: 3, sent: 50, expected: 25, got: 25 };

/** @param {{ isTTY?: boolean }} stream */
const usesColour = (stream) => Boolean(stream.isTTY) && !process.env['NO_COLOR'];

/**
 * @param {string} text
 * @param {number} width
 */
const cell = (text, width) => (text.length > width - 2 ? `${text}  ` : text.padEnd(width));

/**
 * @param {NodeJS.WriteStream} out
 */
export function createTable(out) {
  /** @type {(colour: keyof typeof COLOURS, text: string) => string} */
  const paint = (colour, text) => (usesColour(out) ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text);
  let number = 0;
  return {
    header() {
      const titles = `${cell('#', WIDTHS.number)} ${cell('what was sent', WIDTHS.sent)}${cell('expected', WIDTHS.expected)}`;
      out.write(`\n${paint('bold', `${titles}  ${cell('got', WIDTHS.got)}why`)}\n`);
    },
    /** @param {string} title */
    chapter(title) {
      out.write(`${paint('dim', `── ${title}`)}\n`);
    },
    /**
     * @param {string} sent
     * @param {import('./outcome.mjs').Outcome} outcome
     */
    row(sent, outcome) {
      number += 1;
      const left = `${String(number).padStart(2)}  ${cell(sent, WIDTHS.sent)}${cell(outcome.expected, WIDTHS.expected)}`;
      const mark = outcome.matches ? paint('green', '✓') : paint('red', '✗');
      const got = cell(outcome.got, WIDTHS.got);
      out.write(`${left}${mark} ${outcome.matches ? got : paint('red', got)}${paint('dim', outcome.why)}\n`);
    },
  };
}
