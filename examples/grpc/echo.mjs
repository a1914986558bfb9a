// The service as protoc would make it, with text for messages.
const text = {
  requestSerialize: (value) => Buffer.from(value),
  requestDeserialize: (bytes) => bytes.toString(),
  responseSerialize: (value) => Buffer.from(value),
  responseDeserialize: (bytes) => bytes.toString(),
};

export const echo = {
  say: { ...text, path: "/example.Echo/Say", requestStream: false, responseStream: false },
  talk: { ...text, path: "/example.Echo/Talk", requestStream: true, responseStream: true },
};
