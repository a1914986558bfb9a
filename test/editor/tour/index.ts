export { exposedPort } from "./exposed-port.ts";
export { firstMinutes } from "./first-minutes.ts";
export { help } from "./help.ts";
export { requests } from "./requests.ts";
export { setScene, type Look, type Scene } from "./scene.ts";
export { trouble } from "./trouble.ts";
