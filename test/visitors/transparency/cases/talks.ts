import type { TalkCases } from "./talk-case.ts";
import { connections } from "./talks-connections.ts";
import { oddTalks } from "./talks-odd.ts";
import { streaming } from "./talks-streaming.ts";
import { leaving, uploads } from "./talks-uploads.ts";
import { upgrades } from "./talks-upgrades.ts";

export { idleTalks } from "./talks-idle.ts";

export const talks: Readonly<Record<string, TalkCases>> = {
  "answers in parts": streaming,
  "requests in parts": uploads,
  "visitors and services that leave": leaving,
  "connections of HTTP/1": connections,
  upgrades,
  "conversations that go another way": oddTalks,
};
