/** The development page: `?scene=ask|empty|problems|static|big1000&run=running|done|failed&theme=dark`. */
import { mountCanvas } from '../src/canvas';
import { createWorkflowStore } from '../src/model/store';
import { devHost } from './host';

const query = new URLSearchParams(location.search);
const host = devHost(query.get('scene') ?? 'ask', query.get('run'));
const el = document.getElementById('canvas');
if (!el) throw new Error('index.html has no #canvas');
el.style.width = query.get('width') ? `${query.get('width')}px` : '100%';
mountCanvas(el, createWorkflowStore(host), host);
