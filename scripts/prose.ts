/**
 * Finds words in comments, messages and Markdown that readers stumble over, and names plainer ones (CONTRIBUTING.md, Conventions). The list
 * has only words that are hardly ever right: a false alarm would cost more than it saves. A phrase may span two lines of a comment.
 */

interface Stumble {
  readonly words: RegExp;
  readonly instead: string;
}

/** What may part two words of a phrase: a space, or the end of a line and the next line's comment sign. */
const gap = String.raw`(?:[ ]|\s*\n\s*(?:\*|[/]{2}|>)?\s*)`;

// Words are cut in two, so that this file does not find itself.
const stumbles: readonly Stumble[] = [
  { words: phrase("who", "ever"), instead: "a noun: a client, a visitor, the caller" },
  { words: phrase("those", " who"), instead: "a noun: clients, visitors, users" },
  { words: phrase("of", " which"), instead: "a second sentence" },
  { words: phrase("an", "ew"), instead: "again" },
  { words: phrase("mean", "while"), instead: "in the meantime" },
  { words: phrase("for", " ever"), instead: "indefinitely, or without an end" },
  { words: phrase("so", " long"), instead: "the time itself, or until" },
  { words: phrase("(?:go|goes|went)", " on"), instead: "continue" },
  { words: phrase("(?:gives|gave|given)", " up"), instead: "abort, drop, release or reject" },
  { words: phrase("(?:hears?|heard)", " of"), instead: "be notified of" },
  { words: phrase("(?:says?|said)", " no to"), instead: "reject" },
  { words: phrase("answers", " (?:whether|how|why|false|true|undefined|what ends)"), instead: "return" },
  { words: /(?<=(?:[/][*]{2}\s(?:\s*\*\s)?|[/]{2}\s))Of(?=\s)/g, instead: "a sentence with a subject" },
  { words: /(?<=(?:[/][*]{2}\s(?:\s*\*\s)?|[/]{2}\s))Answers(?=\s)/g, instead: "returns, or responds" },
];

/** Returns a line for each find. */
export function proseProblems(path: string, content: string): string[] {
  return stumbles.flatMap(({ words, instead }) =>
    [...content.matchAll(words)].map((found) => {
      const line = content.slice(0, found.index).split("\n").length;
      return `${path}:${line} says "${found[0].replaceAll(/\s[\s*/>]*/g, " ")}"; write ${instead}`;
    }),
  );
}

function phrase(...parts: readonly string[]): RegExp {
  return new RegExp(`(?<![\\w-])${parts.join("").replaceAll(" ", gap)}(?![\\w-])`, "gi");
}
