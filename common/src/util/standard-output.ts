/** Output that waits for its reader. Beyond it lines of a running program are dropped. */
const maxWaitingBytes = 1024 * 1024;

/**
 * Lets a command end quietly with status 0 when the reader of its output leaves, as `| head` does. Any other failure, such as a full disk, ends it
 * with status 1 and one line on standard error. Node would end it with a stack trace in both cases.
 */
export function endWithReader(program: string): void {
  ignoreErrors(process.stderr);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`${program}: Can't write to standard output (${error.code})\n`);
    process.exit(1);
  });
}

/**
 * Returns what writes to standard output for as long as the program runs, whatever happens to that output. Lines of one turn of the event loop leave
 * together: a pipe takes a system call for each write. After the reader has left nothing is written; on a full disk, or for a reader that is a mebibyte
 * behind, lines are dropped.
 */
export function lastingOutput(output: NodeJS.WriteStream = process.stdout): (text: string) => void {
  let isGone = false;
  let waiting = "";
  output.on("error", (error: NodeJS.ErrnoException) => {
    // EIO: the terminal is closed.
    isGone ||= error.code === "EPIPE" || error.code === "EIO";
  });
  ignoreErrors(process.stderr);
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "" && !isGone) output.write(text);
  };
  process.on("exit", flush);
  return (text) => {
    if (isGone || output.writableLength + waiting.length > maxWaitingBytes) return;
    if (waiting === "") setImmediate(flush);
    waiting += text;
  };
}

/** There is no better place to report them. */
function ignoreErrors(stream: NodeJS.WriteStream): void {
  stream.on("error", () => {});
}
