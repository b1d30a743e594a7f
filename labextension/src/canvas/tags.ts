import type { CatalogueSpec, PortSpec } from '../model/types';

/** How a tag looks; a list looks like its items. */
export function tagLook(catalogue: CatalogueSpec, tag: string): { title: string; color: string } {
  const known = catalogue.tags[tag];
  if (known) return known;
  const item = /^list\[(.+)\]$/.exec(tag)?.[1];
  if (!item) return { title: tag, color: 'grey' };
  const look = tagLook(catalogue, item);
  return { title: `List of ${look.title.toLowerCase()}`, color: look.color };
}

export function tagClass(catalogue: CatalogueSpec, tag: string): string {
  return `bz-color-${tagLook(catalogue, tag).color}`;
}

export function portLabel(port: PortSpec): string {
  return port.title || port.name.replaceAll('_', ' ');
}
