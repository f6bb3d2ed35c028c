import type { WordNetTask } from '../types.js';
import { wnCategory } from './wn-category.js';
import { wnChoice } from './wn-choice.js';
import { wnCloze } from './wn-cloze.js';
import { wnConcrete } from './wn-concrete.js';
import { wnDomain } from './wn-domain.js';
import { wnHead } from './wn-head.js';
import { wnKind } from './wn-kind.js';
import { wnLiving } from './wn-living.js';
import { wnMatch } from './wn-match.js';
import { wnPerson } from './wn-person.js';
import { wnPos } from './wn-pos.js';
import { wnSame } from './wn-same.js';
import { wnVerbCategory } from './wn-verb-category.js';
import { wnWic } from './wn-wic.js';

/** The large tasks that the bundled model is pre-trained on and that prompts are distilled from. */
export const wordnetSourceTasks: readonly WordNetTask[] = [
  wnCategory,
  wnPos,
  wnKind,
  wnChoice,
  wnCloze,
  wnHead,
  wnMatch,
  wnSame,
];

/** Held out of the pre-training; for adaptation. */
export const wordnetTargetTasks: readonly WordNetTask[] = [
  wnLiving,
  wnPerson,
  wnConcrete,
  wnVerbCategory,
  wnDomain,
  wnWic,
];
