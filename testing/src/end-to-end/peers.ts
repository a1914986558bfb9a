import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKey, type IdentityKey } from "@porthole/common/identity";
import { freePort } from "../free-port.ts";
import type { Scope } from "./scope.ts";

/** Where a relay of a cluster will be. */
export interface PeerSeat {
  readonly stateDir: string;
  readonly peerPort: number;
  readonly nodeKey: IdentityKey;
  /** For the command line: its port, and all relays of the cluster. */
  readonly args: readonly string[];
}

/** Node keys and ports for so many relays that know each other. */
export async function peerSeats(scope: Scope, count: number): Promise<PeerSeat[]> {
  const seats = await Promise.all(
    Array.from({ length: count }, async () => {
      const [stateDir, peerPort] = [await scope.folder(), await freePort()];
      const nodeKey = generateKey();
      await writeFile(join(stateDir, "node-key.pem"), nodeKey.pem, { mode: 0o600 });
      return { stateDir, peerPort, nodeKey };
    }),
  );
  const peers = seats.flatMap(({ nodeKey, peerPort }) => ["--peer", `${nodeKey.fingerprint}@127.0.0.1:${peerPort}`]);
  return seats.map((seat) => ({
    ...seat,
    args: ["--state-dir", seat.stateDir, "--peer-port", String(seat.peerPort), ...peers],
  }));
}
