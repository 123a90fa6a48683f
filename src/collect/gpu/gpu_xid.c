/* gpu_xid.c - XIDs: what the driver says when a GPU or its program is at
 * fault. Counted by kind, because a gauge of the last one does not show that
 * it came again.
 *
 * https://docs.nvidia.com/deploy/xid-errors/ */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collect/gpu/gpu_internal.h"

static const struct {
    unsigned xid;
    const char *text;
} xids[] = {
    {13, "graphics engine exception"},
    {31, "memory page fault"},
    {32, "corrupted push buffer"},
    {38, "driver firmware error"},
    {43, "a program stopped the GPU"},
    {44, "fault at a context switch"},
    {45, "clean-up of a program that ended"},
    {46, "the GPU stopped"},
    {48, "memory error beyond correction"},
    {61, "micro-controller warning"},
    {62, "micro-controller halted"},
    {63, "memory row replaced"},
    {64, "memory row could not be replaced"},
    {68, "video decoder exception"},
    {69, "graphics engine class error"},
    {74, "NVLink error"},
    {79, "the GPU has fallen off the bus"},
    {92, "many corrected memory errors"},
    {94, "contained memory error"},
    {95, "uncontained memory error"},
    {109, "context switch timed out"},
    {119, "GSP does not answer"},
    {120, "GSP error"},
    {121, "C2C link error"},
    {140, "memory error that was not recovered"},
    {154, "the GPU asks for a reset"},
};

const char *gpu_xid_text(unsigned xid)
{
    for (size_t i = 0; i < COUNT(xids); i++)
        if (xids[i].xid == xid)
            return xids[i].text;
    return xid ? "XID" : "none";
}

void gpu_note_xid(struct gpu *p, unsigned xid)
{
    unsigned i = 0;

    while (i < p->n_xids && p->xids[i].xid != xid)
        i++;
    if (i == GPU_XIDS_MAX)
        return;
    if (i == p->n_xids)
        p->n_xids++;
    p->xids[i].xid = xid;
    p->xids[i].count++;
    p->xids[i].last_ns = clock_wall_ns();
    gpu_say(p->all, true, "gpu.xid", "GPU %u (%s): XID %u: %s", p->id.index,
            p->id.uuid, xid, gpu_xid_text(xid));
}

/* NVML does not deliver these (DCGM#162). */
static bool comes_by_kernel(const struct gpu *p, unsigned xid)
{
    enum { SAME_NS = 2000000000 };

    if (xid != 79 && xid != 119 && xid != 120)
        return false;
    for (unsigned i = 0; i < p->n_xids; i++)
        if (p->xids[i].xid == xid &&
            clock_wall_ns() - p->xids[i].last_ns < SAME_NS)
            return false;
    return true;
}

void gpu_take_kernel_line(struct gpus *g, const char *line)
{
    unsigned at[3], bus[3], xid;
    const char *p = strstr(line, "NVRM: Xid (PCI:");

    if (!p || sscanf(p, "NVRM: Xid (PCI:%x:%x:%x): %u", &at[0], &at[1], &at[2],
                     &xid) != 4)
        return;
    for (unsigned i = 0; i < g->n; i++)
        if (sscanf(g->v[i]->id.bus, "%x:%x:%x", &bus[0], &bus[1], &bus[2]) ==
                3 &&
            memcmp(bus, at, sizeof(bus)) == 0 && comes_by_kernel(g->v[i], xid))
            gpu_note_xid(g->v[i], xid);
}
