import { synsetNamed, wordNet } from './corpus.js';
import { defineWordNetTask } from './suite.js';

/** A row needs hypernym path and category to agree; what is both (a process, a group, a place) is left out. */
const CONCRETE = new Set(['animal', 'artifact', 'body', 'food', 'object', 'person', 'plant', 'substance']);
const ABSTRACT = new Set([
  'act',
  'attribute',
  'cognition',
  'communication',
  'feeling',
  'motive',
  'relation',
  'state',
  'time',
]);

export const wnConcrete = defineWordNetTask({
  name: 'wn_concrete',
  title: 'Is the defined thing concrete or abstract?',
  role: 'target',
  name_in_text: 'concreteness:',
  labels: ['abstract', 'concrete'],
  metrics: ['accuracy'],
  max_target_length: 8,
  balanced: true,
  build(synsets) {
    const { ancestors } = wordNet();
    const physical = synsetNamed('physical entity', 'Tops');
    const abstraction = synsetNamed('abstraction', 'Tops');
    return synsets.flatMap((synset) => {
      if (synset.pos !== 'noun') return [];
      const above = ancestors(synset);
      const concrete = above.includes(physical);
      if (concrete === above.includes(abstraction)) return [];
      if (!(concrete ? CONCRETE : ABSTRACT).has(synset.category)) return [];
      return [{ synsets: [synset.id], definition: synset.definition, target: concrete ? 'concrete' : 'abstract' }];
    });
  },
  text: ({ definition }) => definition,
});
