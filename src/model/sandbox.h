/* sandbox.h - takes away from this process what reading a model never needs:
 * sockets, new programs, new privileges, tracing. Irreversible; inherited by
 * threads. Does nothing on machines whose kernel has no seccomp. */
#ifndef MODEL_SANDBOX_H
#define MODEL_SANDBOX_H

void sandbox_enter(void);

#endif
