import { wordNet } from './corpus.js';
import type { Synset } from './reader.js';
import { defineWordNetTask } from './suite.js';

const DOMAINS = ['law', 'medicine', 'military', 'music'];

/** The domain that a topic belongs to: itself or what it is a kind of ("case law" is "law"). */
function domainOf(topic: Synset): string | undefined {
  const names = [topic, ...wordNet().ancestors(topic)].filter(({ pos }) => pos === 'noun').map(({ lemmas }) => lemmas);
  return DOMAINS.find((domain) => names.some((lemmas) => lemmas.includes(domain)));
}

/** How far up a hypernym's topics still count: a "snare drum" is music because a drum is. */
const LEVELS = 3;

/** The one domain of a synset by its own topic pointers, else by those of its nearest hypernyms that have any. */
function topicDomain(synset: Synset): string | undefined {
  const { byId } = wordNet();
  const domains = (topics: readonly string[]): Set<string> =>
    new Set(topics.flatMap((id) => domainOf(byId.get(id)!) ?? []));
  let layer: readonly Synset[] = [synset];
  for (let level = 0; level <= LEVELS; level++) {
    const found = domains(layer.flatMap(({ topics }) => topics));
    if (found.size > 0) return found.size === 1 ? [...found][0] : undefined;
    layer = layer.flatMap(({ hypernyms }) => hypernyms.flatMap((id) => byId.get(id) ?? []));
  }
  return undefined;
}

export const wnDomain = defineWordNetTask({
  name: 'wn_domain',
  title: 'Topic domain of a defined word',
  role: 'target',
  name_in_text: 'domain:',
  labels: DOMAINS,
  metrics: ['accuracy'],
  max_target_length: 8,
  balanced: true,
  build: (synsets) =>
    synsets.flatMap((synset) => {
      const target = topicDomain(synset);
      return target === undefined ? [] : [{ synsets: [synset.id], definition: synset.definition, target }];
    }),
  text: ({ definition }) => definition,
});
