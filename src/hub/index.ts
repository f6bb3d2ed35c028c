// The Hugging Face hub, for the rest of the program.
export { hubRows } from './dataset-files.js';
export { HubError } from './errors.js';
export { hubModelId, modelSnapshot, type HubModelId } from './model-files.js';
export { hubSettings, type HubSettings } from './settings.js';
