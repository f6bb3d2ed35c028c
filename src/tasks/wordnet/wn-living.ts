import { synsetNamed, wordNet } from './corpus.js';
import { defineWordNetTask, yesNo, YES_NO } from './suite.js';

/** Neither yes nor no: a genus or family, a part of a plant, a body part. */
const AMBIGUOUS_CATEGORIES = new Set(['Tops', 'animal', 'plant', 'person', 'body']);

export const wnLiving = defineWordNetTask({
  name: 'wn_living',
  title: 'Is the defined thing a living thing?',
  role: 'target',
  name_in_text: 'living:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets) {
    const { ancestors } = wordNet();
    const livingThing = synsetNamed('living thing', 'Tops');
    const group = synsetNamed('group', 'Tops');
    return synsets.flatMap((synset) => {
      if (synset.pos !== 'noun') return [];
      const above = ancestors(synset);
      const living = above.includes(livingThing);
      if (!living && (AMBIGUOUS_CATEGORIES.has(synset.category) || above.includes(group))) return [];
      return [{ synsets: [synset.id], definition: synset.definition, target: yesNo(living) }];
    });
  },
  text: ({ definition }) => definition,
});
