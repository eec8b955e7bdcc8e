/** The settings of a plugin: those of the site, and those of the user. */
import { PageConfig } from '@jupyterlab/coreutils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

/** Returns what the site's author has set for a plugin, in `litePluginSettings` of jupyter-lite.json. */
export function siteSettings(pluginId: string): Record<string, unknown> {
  return JSON.parse(PageConfig.getOption('litePluginSettings') || '{}')[pluginId] ?? {};
}

/**
 * Hides the settings of a plugin that have no meaning in this program. Its schema must have `"jupyter.lab.transform": true`: the registry then
 * waits for this function, so it must be called wherever the plugin is activated.
 */
export function showSettings(registry: ISettingRegistry, pluginId: string, hasMeaning: boolean): void {
  registry.transform(pluginId, {
    fetch: plugin =>
      hasMeaning ? plugin : { ...plugin, schema: { ...plugin.schema, 'jupyter.lab.setting-deprecated': true } },
  });
}

/**
 * Calls `apply` with the user's settings of a plugin, now and after each change.
 *
 * @param what - of what they are the settings, for the message if they cannot be read.
 * @returns whether they could be read.
 */
export async function followSettings(
  registry: ISettingRegistry,
  pluginId: string,
  what: string,
  apply: (composite: ISettingRegistry.ISettings['composite']) => void,
): Promise<boolean> {
  let settings: ISettingRegistry.ISettings;
  try {
    settings = await registry.load(pluginId);
  } catch (error) {
    console.warn(`[browsergrad] the settings of ${what} could not be read:`, error);
    return false;
  }
  settings.changed.connect(({ composite }) => apply(composite));
  apply(settings.composite);
  return true;
}
