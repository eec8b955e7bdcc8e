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
/** @internal the kernel of the labextension; no part of the public interface. */
export { KernelClient, type KernelClientOptions } from './kernel_client';
/** @internal fetches and compiles ahead what kernels start from. */
export { sharedBootAssets } from './boot_assets';
