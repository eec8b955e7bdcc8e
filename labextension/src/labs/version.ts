/** The version against which manifests are checked. A test compares it with the package's version. */
export const RUNTIME_VERSION = '0.8.1';
