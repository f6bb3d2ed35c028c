import { synsetNamed, wordNet } from './corpus.js';
import { defineWordNetTask, yesNo, YES_NO } from './suite.js';

export const wnPerson = defineWordNetTask({
  name: 'wn_person',
  title: 'Is the defined thing a person?',
  role: 'target',
  name_in_text: 'person:',
  labels: YES_NO,
  metrics: ['accuracy'],
  max_target_length: 4,
  balanced: true,
  build(synsets) {
    const { ancestors } = wordNet();
    const person = synsetNamed('person', 'Tops');
    return synsets.flatMap((synset) => {
      if (synset.pos !== 'noun' || synset.category === 'Tops') return [];
      const yes = ancestors(synset).includes(person);
      // Gods and peoples are filed under person or group without being one.
      if (!yes && (synset.category === 'person' || synset.category === 'group')) return [];
      return [{ synsets: [synset.id], definition: synset.definition, target: yesNo(yes) }];
    });
  },
  text: ({ definition }) => definition,
});
