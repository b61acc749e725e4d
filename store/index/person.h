/* Contacts: each put together anew from its conversations when one of them changes.
 * Thread: the projector's; within the applier's transaction. */
#ifndef HL_STORE_INDEX_PERSON_H
#define HL_STORE_INDEX_PERSON_H

#include "store/index/applier.h"

/* A contact without conversations is deleted. A zero id is nobody. 0, -errno. */
int hl_index_person_refresh(struct hl_index_applier *applier, const struct hl_id *contact);

#endif
