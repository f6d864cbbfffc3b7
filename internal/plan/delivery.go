package plan

import "github.com/relight-aws/relight/internal/catalog"

// deliveryFailure explains why a flow log delivers nothing although EC2 calls it
// ACTIVE. For one of relight's own it names the first cause that applies:
//
//	it has another role than relight's   a person has to delete the flow log
//	a role at another path has its name  a person has to delete that role
//	the role is not as desired           the role's own function restores it
//	the log group does not exist         this plan creates it
//	the group's key is unusable          a person has to fix it
//	a policy of the role denies          a person has to check whether that is the cause
//	 delivery on a condition
//
// For any other flow log it says what to check, in the same order. Source:
// Amazon VPC User Guide, "Troubleshoot VPC Flow Logs".
func deliveryFailure(want catalog.Desired, state *FlowLogState, n Network, fl FlowLog) Finding {
	status := orUnknown(fl.Delivery)
	if fl.DeliveryError != "" {
		status += " (" + fl.DeliveryError + ")"
	}
	if code, values := ownCause(want, state, fl); code != "" {
		values["flowlog"], values["on"], values["status"] = fl.ID, n.ID, status
		return NewFinding(code, values)
	}
	switch {
	case fl.DeliveryError == "Rate limited":
		return NewFinding(FlowLogRateLimited, Args{"flowlog": fl.ID, "on": n.ID, "status": status})
	case fl.Destination == catalog.ToS3:
		return NewFinding(FlowLogToS3Failed, Args{"flowlog": fl.ID, "on": n.ID, "status": status})
	case fl.Destination == catalog.ToFirehose:
		return NewFinding(FlowLogToFirehoseFailed, Args{"flowlog": fl.ID, "on": n.ID, "status": status})
	}
	return NewFinding(FlowLogFailed, Args{
		"flowlog": fl.ID, "on": n.ID, "status": status,
		"role": orUnknown(fl.Role), "service": catalog.FlowLogService, "group": orUnknown(fl.LogGroup),
	})
}

// ownCause returns what keeps one of relight's flow logs from delivering, as the
// code of a finding and its values, or "" if that is not known.
func ownCause(want catalog.Desired, state *FlowLogState, fl FlowLog) (Code, Args) {
	if !fl.Ours || fl.LogGroup == "" {
		return "", nil
	}
	if foreign(want, fl) {
		return FlowLogRoleForeign, Args{"role": fl.Role}
	}
	role, function := DeliveryRoleOf(want), want.FunctionName(catalog.Function(catalog.DeliveryRoles))
	if state.Role != nil && !state.Role.Exists {
		return FlowLogRoleMissing, Args{"role": role.Name, "function": function}
	}
	if state.Role != nil {
		if namesake := state.Role.ElsewhereThan(role.ARN); namesake != "" {
			return FlowLogRoleElsewhere, Args{"role": role.ARN, "namesake": namesake, "name": roleName(namesake)}
		}
		if cause := roleTrouble(role, *state.Role); cause != "" {
			return FlowLogRoleChanged, Args{"cause": cause, "function": function}
		}
	}
	group, exists := state.LogGroups[fl.LogGroup]
	if !exists {
		return FlowLogGroupMissing, Args{"group": fl.LogGroup}
	}
	if trouble := state.Keys[group.KMSKey]; trouble != "" {
		return FlowLogKeyUnusable, Args{"key": group.KMSKey, "trouble": trouble}
	}
	if state.Role != nil {
		if policy, denial := roleDoubt(role, *state.Role); denial != "" {
			return FlowLogRoleConditional, Args{"policy": policy, "denial": denial}
		}
	}
	return "", nil
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}
