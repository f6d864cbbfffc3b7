package awsio

import (
	"context"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// TrailToAccept returns what relight remembers of the trail, and what it would
// remember if the trail were accepted as it is now. If the remembered trail is
// gone, the second is the trail that policy would choose.
func (c *Cloud) TrailToAccept(ctx context.Context, s remedy.Scope) (was plan.Recollection, now plan.TrailMemory, choice plan.TrailChoice, err error) {
	r := c.in(s.Account, s.Region)
	if was, err = r.recallTrail(ctx); err != nil {
		return was, now, choice, bare(err)
	}
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return was, now, choice, bare(err)
	}
	if choice = plan.ChooseTrail(r.Want, r.account, r.name, trails, was.Trail); choice.Gone {
		choice = plan.ChooseTrail(r.Want, r.account, r.name, trails, nil)
	}
	if choice.Trail == nil {
		return was, now, choice, nil
	}
	var state plan.TrailState
	if err := r.describeHealth(ctx, choice.Trail.ARN, &state); err != nil {
		return was, now, choice, bare(err)
	}
	return was, plan.MemoryOf(*choice.Trail, state.Selectors), choice, nil
}
