// A TCP server on the client's host. A visitor's first line says what becomes of its connection: `break N` gets N bytes and a reset, `end N` gets
// N bytes and an orderly end, `take` is read to whatever its end is, and `count` gets, as JSON, how those of `take` ended. Prints its port.
import net, { type AddressInfo, type Socket } from "node:net";

const taken = { ends: 0, errors: 0 };

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => {});
  let head = "";
  socket.on("data", function read(chunk: Buffer) {
    head += chunk.toString("latin1");
    if (!head.includes("\n")) return;
    socket.off("data", read);
    const [command, length = "0"] = (head.split("\n")[0] ?? "").split(" ");
    obey(socket, command ?? "", Number(length));
  });
});

function obey(socket: Socket, command: string, length: number): void {
  if (command === "break") socket.write(Buffer.alloc(length, "b"), () => socket.resetAndDestroy());
  if (command === "end") socket.end(Buffer.alloc(length, "e"));
  if (command === "count") socket.end(JSON.stringify(taken));
  if (command !== "take") return;
  socket.resume();
  let isOver = false;
  const over = (how: keyof typeof taken) => () => {
    if (!isOver) taken[how] += 1;
    isOver = true;
  };
  socket.once("end", over("ends"));
  socket.once("end", () => socket.end());
  socket.once("close", over("errors"));
}

server.listen(0, "127.0.0.1", () =>
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`),
);
