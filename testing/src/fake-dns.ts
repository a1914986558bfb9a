import { createSocket } from "node:dgram";
import { once } from "node:events";
import { parseIp } from "@porthole/common/protocol";

export interface FakeDns {
  /** host:port, UDP. */
  readonly address: string;
  close(): Promise<void>;
}

const headerBytes = 12;
const types: Readonly<Record<number, number>> = { 4: 1, 16: 28 }; // A and AAAA, by the length of the address
const noSuchName = 3;

/** Serves A and AAAA questions on loopback as `addressesOf` says; undefined: there is no such name. Every other type has no records. */
export async function startFakeDns(addressesOf: (name: string) => readonly string[] | undefined): Promise<FakeDns> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port }) => {
    const answer = answerTo(query, addressesOf);
    if (answer) socket.send(answer, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
}

function answerTo(query: Buffer, addressesOf: (name: string) => readonly string[] | undefined): Buffer | undefined {
  const labels: string[] = [];
  let offset = headerBytes;
  for (let length = query[offset]; length !== undefined && length > 0; length = query[offset]) {
    labels.push(query.toString("latin1", offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  if (query.length < offset + 5) return undefined;
  const question = query.subarray(headerBytes, offset + 5);
  const addresses = addressesOf(labels.join(".").toLowerCase());
  const type = query.readUInt16BE(offset + 1);
  const records = (addresses ?? [])
    .map((address) => parseIp(address) ?? Buffer.alloc(0))
    .filter((bytes) => types[bytes.length] === type)
    .map((bytes) => recordOf(type, bytes));
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (addresses ? 0 : noSuchName), 2); // an answer, recursion available
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

function recordOf(type: number, bytes: Buffer): Buffer {
  // A pointer to the question's name, the type, class IN, no time to live, the address.
  return Buffer.from([0xc0, headerBytes, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length, ...bytes]);
}
