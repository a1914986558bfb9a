import { redactedMark } from "./redacted-mark.ts";
import type { Header } from "./views.ts";

/** A form as sent, with the values of secret names replaced by the mark. Urlencoded, or multipart when the type says so. */
export function redactFields(text: string, contentType: string, isSecret: (name: string) => boolean): string {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined)
    return text
      .split("&")
      .map((pair) => {
        const equals = pair.indexOf("=");
        return equals >= 0 && isSecret(formText(pair.slice(0, equals)))
          ? `${pair.slice(0, equals)}=${redactedMark}`
          : pair;
      })
      .join("&");
  return partsOf(text, boundary)
    .map(({ text: part, name, headEnd, bodyEnd }) =>
      name !== undefined && isSecret(name) ? part.slice(0, headEnd) + redactedMark + part.slice(bodyEnd) : part,
    )
    .join("");
}

/** Names and values for a table; of a file its name and size. */
export function fieldsOf(text: string, contentType: string, isSecret: (name: string) => boolean): Header[] {
  const boundary = boundaryOf(contentType);
  const pairs: { name: string; value: string }[] =
    boundary === undefined
      ? text
          .split("&")
          .filter((pair) => pair !== "")
          .map((pair) => {
            const [name = ""] = pair.split("=", 1);
            return { name: formText(name), value: formText(pair.slice(name.length + 1)) };
          })
      : partsOf(text, boundary).flatMap(({ text: part, name, fileName, headEnd, bodyEnd }) => {
          if (name === undefined) return [];
          const value = part.slice(headEnd, bodyEnd);
          return [{ name, value: fileName === undefined ? value : `${fileName} (${value.length} characters)` }];
        });
  return pairs.map(({ name, value }) =>
    isSecret(name) ? { name, value: redactedMark, redacted: true } : { name, value },
  );
}

interface Part {
  /** The part with the boundary before it. */
  readonly text: string;
  readonly name?: string;
  readonly fileName?: string;
  readonly headEnd: number;
  readonly bodyEnd: number;
}

function partsOf(text: string, boundary: string): Part[] {
  const delimiter = `--${boundary}`;
  const starts: number[] = [];
  for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, at + delimiter.length)) starts.push(at);
  const parts = starts.map((start, index) => partOf(text.slice(start, starts[index + 1]), delimiter));
  const preamble = text.slice(0, starts[0] ?? text.length);
  return preamble === "" ? parts : [{ text: preamble, headEnd: 0, bodyEnd: 0 }, ...parts];
}

function partOf(text: string, delimiter: string): Part {
  const blank = /\r?\n\r?\n/.exec(text);
  // Cut off within the head, or the closing delimiter.
  if (!blank) return { text, headEnd: text.length, bodyEnd: text.length };
  const headEnd = blank.index + blank[0].length;
  const head = text.slice(delimiter.length, headEnd);
  const name = /^content-disposition:[^\n]*[;\s]name=(?:"((?:[^"\\\r\n]|\\.)*)"|([^;\s]*))/im.exec(head);
  const fileName = /^content-disposition:[^\n]*[;\s]filename=(?:"((?:[^"\\\r\n]|\\.)*)"|([^;\s]*))/im.exec(head);
  const bodyEnd = /\r?\n$/.exec(text)?.index ?? text.length;
  return {
    text,
    headEnd,
    bodyEnd: Math.max(bodyEnd, headEnd),
    ...(name ? { name: name[1] ?? name[2] ?? "" } : {}),
    ...(fileName ? { fileName: fileName[1] ?? fileName[2] ?? "" } : {}),
  };
}

function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\//i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

function formText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
