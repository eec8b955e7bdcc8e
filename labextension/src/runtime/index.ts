/**
 * Python in a worker, for any page: `import { createSession } from './runtime/index.js'`.
 */
export { BrowsergradError, type ErrorCode } from './errors';
export type { BootInfo, BootProgress, InterruptMode, JsModule, PackageProgress } from './protocol';
export type {
  Artifact,
  ArtifactImage,
  ArtifactJson,
  ArtifactLog,
  Assertion,
  AssertionError,
  AssertionFail,
  AssertionPass,
} from './events';
export type {
  ErrorAssertion,
  ExecError,
  ExecErrorKind,
  ExecOptions,
  ExecResult,
  FailAssertion,
  PackageProgressEvent,
  PassAssertion,
  Session,
  SessionFiles,
  SessionFS,
  SessionOptions,
} from './api';
export { createSession } from './session';
export {
  assertCompatibleRuntime,
  isSemverCompatible,
  LabRuntimeMismatch,
  type LabDataset,
  type LabManifest,
  type ManifestError,
  type ManifestErrorCode,
  type ManifestParseResult,
  type ManifestResult,
  parseManifest,
} from './manifest';
/** @internal for the labextension's kernel; not public. */
export { KernelClient, type KernelClientOptions } from './kernel_client';
/** @internal for the labextension, to fetch and compile ahead of need; not public. */
export { sharedBootAssets } from './shared_assets';
