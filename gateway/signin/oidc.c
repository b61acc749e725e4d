#include "gateway/signin/oidc.h"

#include <stdlib.h>
#include <string.h>

#include "base/result.h"
#include "base/worker.h"

struct hl_oidc {
    struct hl_oidc_config config;
    struct hl_worker *worker;
    struct hl_provider *provider; /* the worker's */
    atomic_bool is_ending;
    atomic_uint n_under_way;
};

int hl_oidc_create(const struct hl_oidc_config *config, struct hl_oidc **out_oidc)
{
    struct hl_oidc *oidc = calloc(1, sizeof(*oidc));
    if (oidc == NULL)
        return -ENOMEM;
    oidc->config = *config;
    const struct hl_provider_config provider = {.issuer = config->issuer,
                                                .client = config->client,
                                                .secret = config->secret,
                                                .redirect = config->redirect,
                                                .clock = config->clock,
                                                .is_ending = &oidc->is_ending};
    int r = hl_provider_create(&provider, &oidc->provider);
    if (r == 0)
        r = hl_worker_create("signin", &oidc->worker);
    if (r != 0) {
        hl_provider_destroy(oidc->provider);
        free(oidc);
        return r;
    }
    *out_oidc = oidc;
    return 0;
}

void hl_oidc_end(struct hl_oidc *oidc)
{
    if (oidc != NULL)
        atomic_store(&oidc->is_ending, true);
}

void hl_oidc_destroy(struct hl_oidc *oidc)
{
    if (oidc == NULL)
        return;
    hl_oidc_end(oidc);
    hl_worker_destroy(oidc->worker);
    hl_provider_destroy(oidc->provider);
    free(oidc);
}

const struct hl_oidc_config *hl_oidc_config(const struct hl_oidc *oidc)
{
    return &oidc->config;
}

static void give_back(struct hl_task *task)
{
    struct hl_oidc_job *job = HL_CONTAINER_OF(task, struct hl_oidc_job, task);
    job->done(job, job->result);
}

/* Worker. */
static void work(struct hl_task *task)
{
    struct hl_oidc_job *job = HL_CONTAINER_OF(task, struct hl_oidc_job, task);
    struct hl_oidc *oidc = job->oidc;
    if (atomic_load(&oidc->is_ending))
        job->result = HL_PROVIDER_DOWN;
    else if (job->code[0] == '\0')
        job->result = hl_provider_authorize_at(oidc->provider, job->authorize, job->why);
    else
        job->result = hl_provider_redeem(oidc->provider, job->code, job->ticket.verifier,
                                         job->ticket.nonce, &job->person, job->why);
    atomic_fetch_sub(&oidc->n_under_way, 1);
    job->task.run = give_back;
    hl_loop_post(job->loop, &job->task);
}

int hl_oidc_ask(struct hl_oidc *oidc, struct hl_oidc_job *job)
{
    if (atomic_fetch_add(&oidc->n_under_way, 1) >= HL_OIDC_UNDER_WAY_MAX ||
        atomic_load(&oidc->is_ending)) {
        atomic_fetch_sub(&oidc->n_under_way, 1);
        return HL_OIDC_BUSY;
    }
    job->oidc = oidc;
    job->task.run = work;
    hl_loop_post(hl_worker_loop(oidc->worker), &job->task);
    return 0;
}
