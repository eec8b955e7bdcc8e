/** The version lab manifests are checked against; a test compares it with the package's. */
export const RUNTIME_VERSION = '0.8.1';
