package awsio

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// whyFailed reads what the delivery of relight's own flow logs depends on, if
// one of them is FAILED. The result only explains the failure: if relight may
// not read it, the result says so, and the observation does not fail.
func (r *region) whyFailed(ctx context.Context, state *plan.FlowLogState) error {
	var groups []string
	for _, n := range state.Networks {
		for _, fl := range n.FlowLogs {
			switch {
			case !fl.Ours || !fl.Failed():
			case fl.LogGroup != "":
				groups = append(groups, fl.LogGroup)
			case fl.Destination == catalog.ToS3 && state.Own == nil:
				if err := r.readBuckets(ctx, state, nil); err != nil {
					return err
				}
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	var err error
	if role := plan.DeliveryRoleOf(r.Want); role.ARN != "" {
		if state.Role, err = r.deliveryRole(ctx, role); err != nil && remedy.ClassOf(err) != remedy.Terminal {
			return err
		}
	}
	state.Keys = map[string]string{}
	for _, name := range groups {
		key := state.LogGroups[name].KMSKey
		if _, known := state.Keys[key]; known || key == "" {
			continue
		}
		if state.Keys[key], err = r.keyTrouble(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// keyTrouble returns why a key cannot be used, or "".
func (r *region) keyTrouble(ctx context.Context, arn string) (string, error) {
	state, err := r.keyState(ctx, arn)
	switch {
	case remedy.ClassOf(err) == remedy.Terminal:
		e, _ := errors.AsType[*remedy.Error](err)
		return "cannot be read: " + e.Hint, nil
	case err != nil:
		return "", err
	case slices.Contains([]types.KeyState{types.KeyStateEnabled, types.KeyStateCreating, types.KeyStateUpdating}, types.KeyState(state)):
		return "", nil
	}
	return "is " + state, nil
}
