package plan

import (
	"fmt"

	"github.com/relight-aws/relight/internal/catalog"
)

// deliveryFailure explains a flow log that EC2 calls ACTIVE and that delivers
// nothing. Of one of relight's own it names the first cause, in this order:
//
//	another role than relight's   a person deletes it
//	the role is not as wanted     its own function restores it
//	the log group is missing      this plan creates it
//	the group's key is unusable   a person mends it
//	the role is denied on a       a person looks whether it is that
//	 condition
//
// Of an owner's it says where to look, in the same order. Source: Amazon VPC
// User Guide, "Troubleshoot VPC Flow Logs".
func deliveryFailure(want catalog.Desired, state *FlowLogState, vpc VPC, fl FlowLog) Finding {
	f := Finding{Subject: "flow log " + fl.ID + " of " + vpc.ID, Problem: "its delivery has FAILED"}
	if fl.DeliveryError != "" {
		f.Problem += ": " + fl.DeliveryError
	}
	if cause, remedy := ownCause(want, state, fl); cause != "" {
		f.Problem += ": " + cause
		f.Remedy = remedy
		return f
	}
	switch {
	case fl.DeliveryError == "Rate limited":
		f.Remedy = "Ask for a higher CloudWatch Logs quota, or send it to S3."
	case fl.Destination == catalog.ToS3:
		f.Remedy = "Look at its bucket, the bucket's policy, which must admit delivery.logs.amazonaws.com, and the bucket's key."
	case fl.Destination == catalog.ToFirehose:
		f.Remedy = "Look at its delivery stream, and at the role or service-linked role that writes there."
	default:
		f.Remedy = fmt.Sprintf("Look, in this order, at its role %s (it exists, trusts %s and may write there), the log group %s and the group's key.",
			orUnknown(fl.Role), catalog.FlowLogService, orUnknown(fl.LogGroup))
	}
	return f
}

// ownCause returns what keeps a flow log of relight's own from delivering and
// who mends it, or "" where that is not known.
func ownCause(want catalog.Desired, state *FlowLogState, fl FlowLog) (cause, remedy string) {
	if !fl.Ours || fl.LogGroup == "" {
		return "", ""
	}
	if fl.Role != "" && want.DeliveryRole != "" && fl.Role != want.DeliveryRole {
		return "it delivers with another role than this deployment's, " + fl.Role,
			"Delete it: relight then makes one that delivers with its own role."
	}
	if state.Role != nil {
		if trouble := RoleTrouble(DeliveryRoleOf(want), *state.Role); trouble != "" {
			return trouble, "The function " + want.FunctionName(catalog.Function(catalog.DeliveryRoles)) + " restores it; if this stays, its log says why not."
		}
	}
	group, exists := state.LogGroups[fl.LogGroup]
	if !exists {
		return "its log group " + fl.LogGroup + " is missing", "relight creates it again; delivery goes on within minutes."
	}
	if trouble := state.Keys[group.KMSKey]; trouble != "" {
		return "the key of its log group, " + group.KMSKey + ", " + trouble,
			"Make the key usable again: aws kms enable-key, or cancel-key-deletion, and its policy must admit CloudWatch Logs."
	}
	if state.Role != nil {
		if doubt := roleDoubt(DeliveryRoleOf(want), *state.Role); doubt != "" {
			return "perhaps " + doubt, takeOff
		}
	}
	return "", ""
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}
