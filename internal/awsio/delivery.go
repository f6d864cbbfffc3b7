package awsio

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// whyFailed reads what the delivery of relight's own flow logs hangs on, if
// one of them FAILED. It is read to explain: where relight may not read it,
// that is the explanation, and not a failed look.
func (c *Cloud) whyFailed(ctx context.Context, region string, state *plan.FlowLogState) error {
	var groups []string
	for _, vpc := range state.VPCs {
		for _, fl := range vpc.FlowLogs {
			if fl.Ours && fl.Failed() && fl.LogGroup != "" {
				groups = append(groups, fl.LogGroup)
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	var err error
	if role := plan.DeliveryRoleOf(c.Want); role.ARN != "" {
		if state.Role, err = c.deliveryRole(ctx, region, role); err != nil && remedy.ClassOf(err) != remedy.Terminal {
			return err
		}
	}
	state.Keys = map[string]string{}
	for _, name := range groups {
		key := state.LogGroups[name].KMSKey
		if _, known := state.Keys[key]; known || key == "" {
			continue
		}
		if state.Keys[key], err = c.keyTrouble(ctx, region, key); err != nil {
			return err
		}
	}
	return nil
}

// keyTrouble returns what keeps a key from being used, or "".
func (c *Cloud) keyTrouble(ctx context.Context, region, arn string) (string, error) {
	state, err := c.keyState(ctx, region, arn)
	switch {
	case remedy.ClassOf(err) == remedy.Terminal:
		e, _ := errors.AsType[*remedy.Error](err)
		return "cannot be looked at: " + e.Hint, nil
	case err != nil:
		return "", err
	case slices.Contains([]types.KeyState{types.KeyStateEnabled, types.KeyStateCreating, types.KeyStateUpdating}, types.KeyState(state)):
		return "", nil
	}
	return "is " + state, nil
}
