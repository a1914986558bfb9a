import { assistantTools } from "@porthole/tunnel/assistant";

/** The tools as editors list them. What the model reads stays English; what people read is translated. */
export const tools = assistantTools.map(({ name, description, inputSchema }) => ({
  name,
  displayName: `%tool.${name.slice("porthole_".length)}%`,
  userDescription: `%tool.${name.slice("porthole_".length)}.description%`,
  modelDescription: description,
  toolReferenceName: name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  canBeReferencedInPrompt: true,
  icon: "$(broadcast)",
  tags: ["porthole"],
  inputSchema,
}));
