import { defineOptions, flag, path, port } from "@porthole/common/options";
import { localService } from "@porthole/tunnel/gateway";
import { clientOptions } from "../options.ts";

export const demoOptions = defineOptions({
  local: { help: "Your own service instead of the sample site", parse: localService },
  "secondary-local": clientOptions["secondary-local"],
  transport: clientOptions.transport,
  "force-h2": clientOptions["force-h2"],
  "api-port": { help: "The relay's port for clients", parse: port, default: "4433" },
  "pub-port": { help: "The relay's port for visitors", parse: port, default: "8443" },
  qr: { help: "Show the URL as a QR code, too", parse: flag, default: "true" },
  "state-dir": {
    help: "Folder for keys, so that the URL stays the same",
    parse: path,
    defaultHelp: "demo in the platform's data folder",
  },
});
