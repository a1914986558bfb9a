import { decodeRecord, encodeRecord, type CertificateStore } from "@porthole/common/acme";
import type { Clock } from "@porthole/common/util";
import type { SharedAcme } from "../certificates/relay-certificate.ts";
import type { SharedChallenges } from "./shared-challenges.ts";
import type { SharedRecords } from "./shared-records.ts";
import { takeTurn, type TurnOptions } from "./turns.ts";

/** The relays' certificate, which one of them orders and all present, in the records of the cluster. */
export function sharedCertificate(name: string, options: TurnOptions): CertificateStore {
  const { ledger } = options;
  const key = certificateKey(name);
  return {
    async read() {
      const text = ledger.state.secrets[key]?.text;
      return text === undefined ? { record: undefined } : decodeRecord(text, "the cluster's records");
    },
    async write(record) {
      const { signal } = new AbortController();
      const text = encodeRecord(record);
      await ledger.update((state) => ({ ...state, secrets: { ...state.secrets, [key]: { text } } }), signal);
    },
    lock: (signal) => takeTurn(key, options, signal),
  };
}

/** What a relay shares with the others of its certificate for this name. Without a ledger, only challenges, and the file of its workers. */
export function sharedAcme(
  name: string | undefined,
  { node, challenges }: { readonly node: string; readonly challenges: SharedChallenges },
  ledger: TurnOptions["ledger"] | undefined,
  clock: Clock,
): SharedAcme {
  if (name === undefined || !ledger) return { challenges, store: undefined, watch: () => {} };
  return {
    challenges,
    store: sharedCertificate(name, { ledger, node, clock }),
    watch: (onChange, signal) => watchCertificate(name, ledger, onChange, signal),
  };
}

function watchCertificate(
  name: string,
  ledger: TurnOptions["ledger"],
  onChange: () => void,
  signal: AbortSignal,
): void {
  const textOf = ({ secrets }: SharedRecords): string | undefined => secrets[certificateKey(name)]?.text;
  let known = textOf(ledger.state);
  ledger.watch(() => {
    const text = textOf(ledger.state);
    if (signal.aborted || text === known) return;
    known = text;
    onChange();
  });
}

function certificateKey(name: string): string {
  return `certificate ${name}`;
}
