import type { CatalogueSpec, NodeSpec } from '../../model/types';

/**
 * How well a query is found in a text, 0 where it is not: the characters must come in order; whole,
 * early and word-beginning matches count more.
 */
export function score(query: string, text: string): number {
  const [wanted, where] = [query.toLowerCase(), text.toLowerCase()];
  if (wanted === '') return 1;
  const at = where.indexOf(wanted);
  if (at >= 0) return 100 - Math.min(at, 40) + (startsWord(text, at) ? 40 : 0) + (where === wanted ? 60 : 0);
  let [place, points] = [-1, 0];
  for (const letter of wanted) {
    const next = where.indexOf(letter, place + 1);
    if (next < 0) return 0;
    points += next === place + 1 ? 3 : startsWord(text, next) ? 2 : -1;
    place = next;
  }
  return Math.max(0, points);
}

function startsWord(text: string, at: number): boolean {
  const around = text.slice(Math.max(0, at - 1), at + 1);
  return at === 0 || /^[^\p{L}\d]|^\p{Ll}\p{Lu}/u.test(around);
}

/** The node types that fit a query, best first; every word of it must be found somewhere. */
export function rank(query: string, nodes: readonly NodeSpec[], catalogue: CatalogueSpec): NodeSpec[] {
  const words = query.split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...nodes];
  const category = new Map(catalogue.categories.map(({ name, title }) => [name, title]));
  return nodes
    .map((spec) => ({ spec, points: total(words, spec, category.get(spec.category) ?? spec.category) }))
    .filter(({ points }) => points > 0)
    .sort((one, other) => other.points - one.points)
    .map(({ spec }) => spec);
}

function total(words: string[], spec: NodeSpec, category: string): number {
  let sum = 0;
  for (const word of words) {
    const contained = (text: string) =>
      text.toLowerCase().includes(word.toLowerCase()) ? score(word, text) : 0;
    const best = Math.max(
      3 * score(word, spec.title),
      3 * score(word, spec.type),
      contained(category),
      contained(spec.summary) / 2,
    );
    if (best <= 0) return 0;
    sum += best;
  }
  return sum;
}
