/** The version of all parts of Porthole: they are released together. A test compares it with every package.json. */
export const version = "0.1.0";
