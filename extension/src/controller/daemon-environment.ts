/** The editor's own settings for its requests: `http.proxy` and `http.noProxy`. Empty for none. */
export interface EditorProxy {
  readonly proxy: string;
  readonly noProxy: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The environment of the process with the tunnels: the editor's own, with the proxy of its settings instead of that of its environment, as
 * for the editor's own requests. Exceptions from both hold. A proxy may have a password in it, and nobody else on the machine can read a
 * process's environment.
 */
export function daemonEnvironment(own: Env, { proxy, noProxy }: EditorProxy): Env {
  // As proxy-from-env reads it: the small letters first, and an empty text is none.
  const exceptions = [own["no_proxy"] || own["NO_PROXY"] || "", ...noProxy].filter((each) => each !== "").join(",");
  return {
    ...own,
    ...(proxy === "" ? {} : { https_proxy: proxy, HTTPS_PROXY: proxy }),
    ...(noProxy.length === 0 ? {} : { no_proxy: exceptions, NO_PROXY: exceptions }),
    ELECTRON_RUN_AS_NODE: "1",
  };
}
