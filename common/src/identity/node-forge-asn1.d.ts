/** One module of node-forge, whose main file loads every cipher it has. Its types are those of the whole. */
declare module "node-forge/lib/asn1.js" {
  import type forge from "node-forge";
  const asn1: typeof forge.asn1;
  export default asn1;
}
