/** The page `/admin/` and the endpoints it needs besides the admin API. It runs next to the token service, where `tokens.admin` is set. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Config } from '../config/config.js';
import { explainRequest } from '../explain.js';
import { concludeExplanation } from '../explain/conclusion.js';
import { readRequestForm } from '../explain/request-forms.js';
import { createInsightsRouter, type InsightsRouterOptions } from '../token-service/insights/router.js';
import { createAdminPageRouter } from '../token-service/page/admin-page.js';
import type { MountedService, ServiceContext } from './mounted-service.js';

/** How a service recognizes administrators, for those that open after it. */
export type Administrators = Pick<InsightsRouterOptions, 'authorize' | 'refuse'>;

/** A service that knows the administrators: the token service. */
export interface WithAdministrators extends MountedService {
  readonly administrators: Administrators;
}

/** Opens the page. @throws Error where a file of it is missing from the installation */
export async function openAdminPage(context: ServiceContext): Promise<MountedService | undefined> {
  const tokens = [...context.services.values()].find(hasAdministrators);
  if (tokens === undefined || context.config.tokens?.service?.admin !== true) return undefined;
  let config = context.config;
  const router = new OpenAPIHono();
  router.route('/', await createAdminPageRouter());
  router.route(
    '/',
    createInsightsRouter({
      ...tokens.administrators,
      denials: (limit) => context.insights.denials(limit),
      keys: () => context.insights.keys(),
      explain: (request) => explain(config, request),
    }),
  );
  return {
    name: 'admin page',
    router,
    apply: (next) => {
      config = next;
    },
    close: () => Promise.resolve(),
  };
}

function hasAdministrators(service: MountedService): service is WithAdministrators {
  return 'administrators' in service;
}

async function explain(config: Config, request: unknown): Promise<object> {
  const { checkRequest, logged } = readRequestForm(request, { headers: [] });
  return concludeExplanation(await explainRequest(config, checkRequest), logged);
}
