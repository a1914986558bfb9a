// The sending process of quic-engine.ts.
import { once } from "node:events";
import { sendWithEngine, sendWithPackage, type Identity } from "./quic-engine-ends.ts";

interface Order extends Identity {
  readonly kind: "engine" | "package";
  readonly port: number;
  readonly bytes: number;
}

const [order] = (await once(process, "message")) as [Order];
const meter =
  order.kind === "engine"
    ? await sendWithEngine(order.port, order, order.bytes)
    : await sendWithPackage(order.port, order.bytes);
process.send?.(meter);
