/* sandbox.h - takes away from this process what reading a model never needs:
 * sockets, new programs, new privileges, tracing. Irreversible; inherited by
 * threads. Does nothing on machines whose kernel has no seccomp. */
#ifndef MODEL_SANDBOX_H
#define MODEL_SANDBOX_H

void sandbox_enter(void);

/* Leaves only what reading bytes already open and writing an answer needs;
 * everything else ends the process. For importers, which call no foreign
 * library. With a sanitizer it is the same as sandbox_enter(). */
void sandbox_enter_reader(void);

#endif
