/** What `when` clauses may ask. */
export interface ContextKeyTypes {
  /** Something is exposed or wanted. */
  "porthole.hasExposed": boolean;
  "porthole.hasSecondary": boolean;
  "porthole.hasRelays": boolean;
  /** `host:port` of every exposed port, in each form in which the Ports view may write it. */
  "porthole.exposedPorts": readonly string[];
}
