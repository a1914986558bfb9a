/** Keys of `when` clauses. */
export interface ContextKeyTypes {
  /** Something is exposed or wanted. */
  "porthole.hasExposed": boolean;
  "porthole.hasSecondary": boolean;
  /** Set by each ping of the window. */
  "porthole.isRunning": boolean;
  "porthole.hasRelays": boolean;
  /** Trial mode: URLs work on this machine only. */
  "porthole.isTrial": boolean;
  /** The project's settings describe ports, and it is trusted. */
  "porthole.hasProject": boolean;
  /** `host:port` of every exposed port, in each form in which the Ports view may write it. */
  "porthole.exposedPorts": readonly string[];
}
