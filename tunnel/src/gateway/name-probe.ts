import { limits } from "./limits.ts";
import type { Clock } from "@porthole/common/util";
import type { ServiceTarget, VisitorConnection } from "../http/index.ts";
import { publicOrigin, toService, type Names } from "./header-modes.ts";
import { refusesName, serverOf } from "./refusals.ts";
import { createUpstream } from "./services/create-upstream.ts";

/** A service refuses the public name, and takes the same request as from localhost. */
export interface NameRefusal {
  /** Vite, Django; undefined where its way of refusing is not known. */
  readonly server: string | undefined;
}

export interface NameProbe {
  readonly service: ServiceTarget;
  readonly names: Omit<Names, "mode">;
  /** The requested path. Next.js refuses below `/_next/` only, by Origin. */
  readonly path: "/" | "/_next/";
  readonly clock: Clock;
}

interface Heard {
  /** 0: no answer of HTTP. */
  readonly status: number;
  readonly body: string;
}

/** Enough to know a program by its refusal. */
const maxBodyBytes = 16 * 1024;
const nobody: VisitorConnection = {
  endpoint: "primary",
  address: "127.0.0.1",
  hostname: "",
  traceId: "",
  transport: "none",
};

/**
 * Asks a service twice with a request of the gateway's own: under the public name, and as from localhost. Nothing of a visitor's is in it, so
 * none can bring about what it finds. Undefined when the service does not refuse the name, or refuses both. Never rejects.
 */
export async function probeName(probe: NameProbe): Promise<NameRefusal | undefined> {
  const named = await ask(probe, "transparent");
  if (!named || !refusesName(named.status, named.body)) return undefined;
  const local = await ask(probe, "localhost");
  if (!local || refusesName(local.status, local.body)) return undefined;
  return { server: serverOf(named.status, named.body) };
}

/** Undefined when there is no connection, or no answer in time. */
function ask({ service, names, path, clock }: NameProbe, mode: Names["mode"]): Promise<Heard | undefined> {
  const origin = mode === "localhost" ? names.local.origin : publicOrigin(names.publicAuthority);
  const own = ["Accept", "*/*", "User-Agent", "Porthole", ...(path === "/" ? [] : ["Origin", origin])];
  const headers = toService(own, nobody, { ...names, mode });
  const upstream = createUpstream(service, clock);
  return new Promise((resolve) => {
    const finish = (heard: Heard | undefined): void => {
      timer.cancel();
      upstream.close();
      resolve(heard);
    };
    const timer = clock.timer(mode === "localhost" ? limits.localProbeMs : limits.nameProbeMs, () => finish(undefined));
    const call = upstream.send(
      { service, method: "GET", target: path, headers },
      {
        body: "none",
        onInform() {},
        onReply(reply) {
          if (reply.kind === "upgrade") return finish(undefined);
          const { status } = reply.head;
          reply.body.peek(maxBodyBytes).then(
            ({ bytes }) => finish({ status, body: bytes.toString("latin1") }),
            () => finish({ status, body: "" }),
          );
        },
        onFailure: ({ error }) => finish(error.code === "service-down" ? undefined : { status: 0, body: "" }),
      },
    );
    call.end([]);
  });
}
