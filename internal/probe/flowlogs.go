package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// absentVPC is the ID of a VPC that does not exist.
const absentVPC = "vpc-0123456789abcdef0"

// makeFlowLogs makes a VPC and flow logs on it.
func (r *run) makeFlowLogs(ctx context.Context) error {
	if r.roleARN == "" {
		return errors.New("there is no role")
	}
	if err := r.makeVPC(ctx); err != nil {
		return err
	}
	_, err := r.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{absentVPC}})
	r.refusal("missing-vpc-code", err, "InvalidVpcID.NotFound")
	for _, suffix := range []string{"flow-a", "flow-b", "flow-c"} {
		if err := r.group(ctx, suffix, logstypes.LogGroupClassStandard, ""); err != nil {
			return err
		}
	}
	locked := r.flowLog("flow-a")
	locked.DeliverLogsPermissionArn = &r.lockedARN
	_, refused, err := r.createFlowLogs(ctx, locked)
	whole := codeOf(err) == "InvalidParameter" && strings.Contains(err.Error(), "Unable to assume given IAM role")
	switch {
	case err != nil && (codeOf(err) == "" || denied(codeOf(err))):
		r.unseen("unassumable-role-fails-whole-call", said(err))
	case err != nil:
		r.saw("unassumable-role-fails-whole-call", whole, "the whole call: %s", said(err))
	default:
		r.saw("unassumable-role-fails-whole-call", false, "a successful reply that refuses: %s", cmp.Or(refused, "nothing"))
	}
	first, err := r.firstFlowLog(ctx)
	if err != nil {
		return err
	}
	if fl, err := r.describeFlowLog(ctx, byID(first)); err != nil {
		r.unseen("flow-log-success-at-once", said(err))
	} else {
		r.saw("flow-log-success-at-once", aws.ToString(fl.DeliverLogsStatus) == "SUCCESS", "status %q at the first read", aws.ToString(fl.DeliverLogsStatus))
	}
	other := r.flowLog("flow-a")
	other.LogFormat = aws.String("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${action}")
	_, refused, err = r.createFlowLogs(ctx, other)
	if err != nil {
		r.refusal("format-makes-no-difference", err)
	} else {
		r.saw("format-makes-no-difference", strings.HasPrefix(refused, "FlowLogAlreadyExists"), "%s", cmp.Or(refused, "a second flow log"))
	}
	second, err := r.flowLogByARN(ctx)
	if err != nil {
		return err
	}
	r.flowLogs = []string{first, second}
	third, refused, err := r.createFlowLogs(ctx, r.flowLog("flow-c"))
	switch {
	case err != nil && codeOf(err) != "FlowLogsLimitExceeded":
		return err
	case err != nil:
		r.saw("flow-log-limit-fails-alone", false, "the whole call: %s", said(err))
	case strings.HasPrefix(refused, "FlowLogsLimitExceeded"):
		r.saw("flow-log-limit-fails-alone", true, "inside the reply: %s", refused)
	default:
		r.unseen("flow-log-limit-fails-alone", "AWS accepted three flow logs on one VPC")
	}
	r.third = third
	return nil
}

// makeVPC makes a VPC and measures how long it takes to show.
func (r *run) makeVPC(ctx context.Context) error {
	if err := r.make(ctx, vpcKind, "", func(ctx context.Context) (string, error) {
		out, err := r.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{
			CidrBlock: aws.String("10.254.0.0/28"), TagSpecifications: r.ec2Tags(ec2types.ResourceTypeVpc),
		})
		if err != nil {
			return "", err
		}
		r.vpc = *out.Vpc.VpcId
		return r.vpc, nil
	}); err != nil {
		return err
	}
	const enough = 3500 * time.Millisecond
	reads := 0
	took, shown, err := r.until(ctx, max(enough, min(propagation, r.Wait)), func() (bool, error) {
		reads++
		out, err := r.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{r.vpc}})
		if missing(err) {
			return false, nil
		}
		return err == nil && len(out.Vpcs) == 1, err
	})
	if err != nil {
		return err
	}
	r.saw("vpc-shows-in-time", shown && took <= enough, "shown after %d reads, %s: %t", reads, round(took), shown)
	r.measured("vpc-shows-in-time", took)
	return nil
}

// firstFlowLog asks for a flow log on the VPC and on one that does not exist.
func (r *run) firstFlowLog(ctx context.Context) (id string, err error) {
	both := r.flowLog("flow-a")
	both.ResourceIds = append(both.ResourceIds, absentVPC)
	var refused string
	var answer error
	err = r.spread(ctx, func() error {
		id, refused, answer = r.createFlowLogs(ctx, both)
		if answer != nil && !strings.Contains(answer.Error(), "Unable to assume") {
			return nil //nolint:nilerr // another answer is what the experiment is about
		}
		return answer
	})
	switch {
	case err != nil:
		return "", err
	case id != "":
		r.saw("missing-vpc-fails-alone", refused != "", "a flow log on the other VPC, and refused: %s", cmp.Or(refused, "nothing"))
		return id, nil
	}
	id, _, again := r.createFlowLogs(ctx, r.flowLog("flow-a"))
	if again != nil || id == "" {
		return "", fmt.Errorf("make a flow log: %w", errors.Join(again, errors.New(cmp.Or(refused, "no flow log in the answer"))))
	}
	if answer != nil {
		refused = said(answer)
	}
	r.saw("missing-vpc-fails-alone", false, "no flow log on either VPC: %s", cmp.Or(refused, "an empty answer"))
	return id, nil
}

// flowLogByARN makes a flow log twice with one client token, to a log group
// that it names by ARN.
func (r *run) flowLogByARN(ctx context.Context) (string, error) {
	in := r.flowLog("flow-b")
	group := r.name("flow-b")
	in.LogGroupName, in.LogDestination = nil, aws.String(r.arn("logs", "log-group:"+group))
	in.LogDestinationType, in.ClientToken = ec2types.LogDestinationTypeCloudWatchLogs, aws.String(r.tag)
	id, refused, err := r.createFlowLogs(ctx, in)
	if err != nil || id == "" {
		return "", errors.Join(err, fmt.Errorf("make a flow log by ARN: %s", cmp.Or(refused, "no flow log in the answer")))
	}
	again, refused, err := r.createFlowLogs(ctx, in)
	if err != nil {
		r.refusal("client-token-repeats-reply", err)
	} else {
		r.saw("client-token-repeats-reply", again == id, "the second answer has %s", cmp.Or(map[bool]string{true: "the same flow log"}[again == id], refused, again))
	}
	fl, err := r.describeFlowLog(ctx, byID(id))
	if err != nil {
		return "", err
	}
	r.saw("flow-log-by-arn-has-group-name", aws.ToString(fl.LogGroupName) == group && aws.ToString(fl.LogDestination) != "",
		"LogGroupName %q, LogDestination %q", aws.ToString(fl.LogGroupName), aws.ToString(fl.LogDestination))
	_, err = r.describeFlowLog(ctx, ec2types.Filter{Name: aws.String("log-group-name"), Values: []string{group}})
	if err != nil && !errors.Is(err, errNoFlowLog) {
		return "", err
	}
	r.saw("group-filter-finds-arn", err == nil, "found: %t", err == nil)
	return id, nil
}

// flowLog returns a request for a flow log that delivers to a log group.
func (r *run) flowLog(suffix string) *ec2.CreateFlowLogsInput {
	return &ec2.CreateFlowLogsInput{
		ResourceIds: []string{r.vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeReject,
		LogGroupName: aws.String(r.name(suffix)), DeliverLogsPermissionArn: &r.roleARN,
		TagSpecifications: r.ec2Tags(ec2types.ResourceTypeVpcFlowLog),
	}
}

// createFlowLogs returns the first flow log that a call made, and what the
// reply refuses.
func (r *run) createFlowLogs(ctx context.Context, in *ec2.CreateFlowLogsInput) (id, refused string, err error) {
	err = r.make(ctx, flowLogKind, "", func(ctx context.Context) (string, error) {
		out, err := r.ec2.CreateFlowLogs(ctx, in)
		if err != nil {
			return "", err
		}
		for i, made := range out.FlowLogIds {
			if i > 0 {
				r.ledger.add(flowLogKind, made)
			}
		}
		if len(out.FlowLogIds) > 0 {
			id = out.FlowLogIds[0]
		}
		for _, item := range out.Unsuccessful {
			refused = aws.ToString(item.Error.Code) + ": " + aws.ToString(item.Error.Message)
		}
		return id, nil
	})
	return id, refused, err
}

// describeFlowLog returns the only flow log of the run's VPC that passes a
// filter.
func (r *run) describeFlowLog(ctx context.Context, filter ec2types.Filter) (ec2types.FlowLog, error) {
	out, err := r.ec2.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{Filter: []ec2types.Filter{filter}})
	if err != nil {
		return ec2types.FlowLog{}, err
	}
	i := slices.IndexFunc(out.FlowLogs, func(fl ec2types.FlowLog) bool { return aws.ToString(fl.ResourceId) == r.vpc })
	if i < 0 {
		return ec2types.FlowLog{}, errNoFlowLog
	}
	return out.FlowLogs[i], nil
}

// deletedVPC deletes two flow logs in one call, and a VPC that has a third. By
// now their role has lost its rights.
func (r *run) deletedVPC(ctx context.Context) error {
	if len(r.flowLogs) == 0 {
		return errors.New("there are no flow logs")
	}
	if fl, err := r.describeFlowLog(ctx, byID(r.flowLogs[0])); err == nil {
		r.saw("flow-log-to-nowhere", aws.ToString(fl.DeliverLogsStatus) == "SUCCESS", "status %q, message %q, %s after its creation",
			aws.ToString(fl.DeliverLogsStatus), aws.ToString(fl.DeliverLogsErrorMessage), round(time.Since(cmp.Or(aws.ToTime(fl.CreationTime), r.began))))
	}
	if _, err := r.ec2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: r.flowLogs}); err != nil {
		return err
	}
	if err := r.outlive(ctx); err != nil {
		return err
	}
	e, ok, err := r.arrived(ctx, r.Wait, recordOf("DeleteFlowLogs", r.flowLogs[0]))
	if err != nil || !ok {
		r.noRecord("record-of-delete-flow-logs", "DeleteFlowLogs", err)
		return err
	}
	// The member's name is DeleteFlowLogsRequest.FlowLogId or flowLogIds; the
	// form of its value is the question.
	r.saw("record-of-delete-flow-logs", hasList(e.Detail.RequestParameters, r.flowLogs), "requestParameters %v", e.Detail.RequestParameters)
	return nil
}

// outlive deletes the VPC while it has a flow log.
func (r *run) outlive(ctx context.Context) error {
	const id = "flow-logs-outlive-vpc"
	if r.third == "" { // three were too many before
		third, refused, err := r.createFlowLogs(ctx, r.flowLog("flow-c"))
		if err != nil || third == "" {
			r.unseen(id, cmp.Or(refused, said(err)))
			return ctx.Err()
		}
		r.third = third
	}
	if _, err := r.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &r.vpc}); err != nil {
		r.unseen(id, "the VPC could not be deleted: "+said(err))
		return ctx.Err()
	}
	if _, err := r.describeFlowLog(ctx, byID(r.third)); errors.Is(err, errNoFlowLog) {
		r.saw(id, false, "the flow log was gone with its VPC")
	} else if err != nil {
		return err
	} else if out, err := r.ec2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{r.third}}); err != nil {
		r.refusal(id, err)
	} else {
		r.saw(id, len(out.Unsuccessful) == 0, "the flow log remained; deletions refused: %d", len(out.Unsuccessful))
	}
	return nil
}

// byID is the filter for one flow log.
func byID(id string) ec2types.Filter {
	return ec2types.Filter{Name: aws.String("flow-log-id"), Values: []string{id}}
}

var errNoFlowLog = errors.New("DescribeFlowLogs shows no such flow log")

// hasList reports whether a list with all texts is somewhere in a value.
func hasList(v any, texts []string) bool {
	switch v := v.(type) {
	case []any:
		all := true
		for _, text := range texts {
			all = all && slices.ContainsFunc(v, func(e any) bool { return strings.Contains(fmt.Sprint(e), text) })
		}
		return all
	case map[string]any:
		for _, e := range v {
			if hasList(e, texts) {
				return true
			}
		}
	}
	return false
}

func (r *run) ec2Tags(of ec2types.ResourceType) []ec2types.TagSpecification {
	return []ec2types.TagSpecification{{ResourceType: of, Tags: []ec2types.Tag{{Key: aws.String(Tag), Value: &r.tag}}}}
}
