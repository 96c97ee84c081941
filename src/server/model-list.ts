/** GET /v1/models: the one that answers. */
import { ServerError } from '../errors.js';
import type { Eta } from '../index.js';
import { describe } from '../options.js';
import { NO_STORE } from './no-store.js';
import type { Route } from './routes.js';

export function modelRoutes(eta: Eta): Route[] {
  const created = Math.floor(Date.now() / 1000);
  const { name } = eta.facts.models;
  const model = { id: name, object: 'model', created, owned_by: 'eta-vlm' };
  return [
    {
      method: 'GET',
      path: '/v1/models',
      answer: () => Response.json({ object: 'list', data: [model] }, { headers: NO_STORE }),
    },
    {
      method: 'GET',
      path: '/v1/models/{id}',
      answer: (_request, _record, { id = '' }) => {
        if (id === name) return Response.json(model, { headers: NO_STORE });
        throw new ServerError(
          'ERR_ROUTE',
          `Expected the model ${describe(name)}, received ${describe(id)}. It is the one that answers.`,
        );
      },
    },
  ];
}
