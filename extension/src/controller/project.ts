import type { Clock } from "@porthole/common/util";
import { parseDurationMs } from "@porthole/common/util";
import type { AccessSpec, TunnelSpec } from "@porthole/tunnel/rpc";
import type { PortTarget } from "../ports/index.ts";
import { blank, type ExposureList } from "./exposure-list.ts";
import type { Settings, Workspace, WorkspaceStore } from "./host.ts";
import { listOf, narrowed, projectOptions, readProjectPorts, type ProjectPort } from "./project-port.ts";

export interface ProjectDeps {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly workspace: Workspace;
  readonly list: ExposureList;
  /** Keeps what the user has agreed to. The project can't write there. */
  readonly store: WorkspaceStore;
  readonly idOf: (target: PortTarget) => string;
}

interface Adopted {
  readonly port: ProjectPort;
  /** Milliseconds since 1970. */
  readonly endsAt?: number;
}

/**
 * The ports that the project's settings describe. A description does nothing by itself: the user adopts it for a port, and what was
 * adopted stays as it was, whatever becomes of the description, until the user agrees to another one.
 */
export class Project {
  readonly #deps: ProjectDeps;

  constructor(deps: ProjectDeps) {
    this.#deps = deps;
  }

  /** The ports that the settings describe. None in a workspace that is not trusted. */
  get ports(): readonly ProjectPort[] {
    return this.#read().ports;
  }

  /** Why some of it can't be used. */
  get problems(): readonly string[] {
    return this.#read().problems;
  }

  /** The description of a port of this machine. */
  describes({ host, port }: PortTarget): ProjectPort | undefined {
    return host === "localhost" ? this.ports.find((each) => each.port === port) : undefined;
  }

  /** Returns the description of this port that the user agreed to. */
  adopted(id: string): ProjectPort | undefined {
    return this.#adopted[id]?.port;
  }

  /** The user has agreed to the present description of the port, or to an earlier one. */
  isAdopted(target: PortTarget): boolean {
    return this.adopted(this.#deps.idOf(target)) !== undefined;
  }

  /** The user is to be asked: the description is new, or it is another one than the adopted one. A label alone is no news. */
  isNews(target: PortTarget): boolean {
    const [now, before] = [this.describes(target), this.adopted(this.#deps.idOf(target))];
    return now !== undefined && meaningOf(now) !== meaningOf(before ?? { port: now.port });
  }

  /** The user has agreed to the description, or wants none for this port. */
  async adopt(target: PortTarget, port: ProjectPort | undefined): Promise<void> {
    const id = this.#deps.idOf(target);
    const { [id]: _before, ...others } = this.#adopted;
    await this.#keep(port ? { ...others, [id]: { port, ...this.#endOf(port) } } : others);
  }

  /** The port is exposed by hand: the time of `access-for` begins now. */
  async begin(id: string): Promise<void> {
    const adopted = this.#adopted[id];
    if (adopted?.port["access-for"] === undefined) return;
    await this.#keep({ ...this.#adopted, [id]: { port: adopted.port, ...this.#endOf(adopted.port) } });
  }

  /** The user's rules with what the adopted description takes away from them. */
  access(id: string, own: AccessSpec): AccessSpec {
    const adopted = this.#adopted[id];
    return adopted ? narrowed(own, adopted.port, adopted.endsAt) : own;
  }

  /** The tunnel with what the adopted description adds to it. */
  apply(id: string, spec: TunnelSpec): TunnelSpec {
    const port = this.adopted(id);
    if (!port) return spec;
    const { inspect, ...others } = spec;
    const { local } = port;
    const redact = listOf(port.redact);
    return {
      ...others,
      ...projectOptions(port),
      ...(local === undefined ? {} : { primary: { ...spec.primary, local: String(local) } }),
      ...(inspect && port.inspect !== false ? { inspect: { ...inspect, ...(redact ? { redact } : {}) } } : {}),
    };
  }

  /** Lists the described ports, so that they can be exposed by a click. */
  offer(): void {
    const { list, idOf } = this.#deps;
    const offers = this.ports.map((port) => {
      const target = targetOf(port);
      return { ...blank(idOf(target), target), isOffered: true };
    });
    const kept = list.all.filter(({ isOffered }) => !isOffered);
    const added = offers.filter(({ id }) => !kept.some((each) => each.id === id));
    if (added.length > 0 || kept.length < list.all.length) list.set([...kept, ...added]);
  }

  get #adopted(): Readonly<Record<string, Adopted>> {
    const value = this.#deps.store.get();
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, Adopted>>) : {};
  }

  #keep(all: Readonly<Record<string, Adopted>>): Promise<void> {
    return this.#deps.store.set(all);
  }

  #endOf(port: ProjectPort): { readonly endsAt?: number } {
    const forMs = parseDurationMs(port["access-for"] ?? "");
    return forMs === undefined ? {} : { endsAt: this.#deps.clock.now() + forMs };
  }

  #read() {
    const { settings, workspace } = this.#deps;
    return workspace.isTrusted ? readProjectPorts(settings.get("porthole.ports")) : { ports: [], problems: [] };
  }
}

export function targetOf({ port, label }: ProjectPort): PortTarget {
  return { host: "localhost", port, scheme: undefined, label };
}

function meaningOf({ label: _label, ...said }: ProjectPort): string {
  return JSON.stringify(Object.entries(said).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
