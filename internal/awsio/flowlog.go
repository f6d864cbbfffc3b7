package awsio

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	smithy "github.com/aws/smithy-go"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// flowLogAPI is what this file needs of *ec2.Client, and no more.
type flowLogAPI interface {
	DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
	DescribeFlowLogs(context.Context, *ec2.DescribeFlowLogsInput, ...func(*ec2.Options)) (*ec2.DescribeFlowLogsOutput, error)
	CreateFlowLogs(context.Context, *ec2.CreateFlowLogsInput, ...func(*ec2.Options)) (*ec2.CreateFlowLogsOutput, error)
	DeleteFlowLogs(context.Context, *ec2.DeleteFlowLogsInput, ...func(*ec2.Options)) (*ec2.DeleteFlowLogsOutput, error)
}

var _ flowLogAPI = (*ec2.Client)(nil)

// pageSize is asked of EC2 listings; 1,000 is the most DescribeVpcs gives.
const pageSize = 1000

// notYet is how long to wait before looking again for a VPC that an event
// names and EC2 does not show: its reads lag its writes. Source: Amazon EC2
// API Reference, "Eventual consistency".
var notYet = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

func (c *Cloud) observeFlowLogs(ctx context.Context, s remedy.Scope) (*plan.FlowLogState, error) {
	switch s.Type {
	case catalog.Bucket:
		return c.observeBuckets(ctx, s.Region)
	case catalog.Key, catalog.Region: // the policy and the event say all there is to know
		return &plan.FlowLogState{}, nil
	}
	names := s.Names.List()
	if s.Type == catalog.LogGroup && len(names) > 0 {
		var err error
		if names, err = c.vpcsLoggedTo(ctx, s.Region, names); err != nil || len(names) == 0 {
			return &plan.FlowLogState{}, err
		}
		if len(names) > remedy.MaxNames {
			names = nil
		}
	}
	state := &plan.FlowLogState{}
	vpcs, gone, err := c.describeVPCs(ctx, s.Region, names)
	if err != nil {
		return nil, err
	}
	flowLogs, err := c.describeFlowLogs(ctx, s.Region, filterBy("resource-id", names))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		late, lost, err := c.unlisted(ctx, s.Region, vpcs, flowLogs)
		if err != nil {
			return nil, err
		}
		vpcs, gone = append(vpcs, late...), lost
	}
	state.VPCs = vpcs
	for _, id := range gone {
		state.Gone = append(state.Gone, plan.VPC{ID: id, FlowLogs: flowLogs[id]})
	}
	if len(state.VPCs) == 0 { // whose flow logs alone need log groups
		return state, nil
	}
	groups := []string{c.Want.FlowLogs.LogGroup}
	guarded := slices.Clone(groups) // others by name only: an account may have a group for each VPC
	if s.Type == catalog.LogGroup {
		guarded = append(guarded, s.Names.List()...)
	}
	for i := range state.VPCs {
		state.VPCs[i].FlowLogs = flowLogs[state.VPCs[i].ID]
		for _, fl := range state.VPCs[i].FlowLogs {
			if fl.LogGroup != "" {
				groups = append(groups, fl.LogGroup)
			}
		}
	}
	if state.LogGroups, err = c.describeLogGroups(ctx, s.Region, groups, guarded); err != nil {
		return nil, err
	}
	return state, c.whyFailed(ctx, s.Region, state)
}

// observeBuckets reads which buckets the region's flow logs deliver to, those
// of subnets and interfaces too.
func (c *Cloud) observeBuckets(ctx context.Context, region string) (*plan.FlowLogState, error) {
	state := &plan.FlowLogState{}
	err := c.listFlowLogs(ctx, region, filterBy("log-destination-type", []string{catalog.ToS3}), func(fl types.FlowLog) {
		_, path, _ := strings.Cut(aws.ToString(fl.LogDestination), ":::") // arn:PARTITION:s3:::BUCKET/FOLDER
		bucket, _, _ := strings.Cut(path, "/")
		if bucket != "" && !slices.Contains(state.Buckets, bucket) {
			state.Buckets = append(state.Buckets, bucket)
		}
	})
	return state, err
}

// vpcsLoggedTo returns the VPCs whose flow logs deliver to one of the groups.
func (c *Cloud) vpcsLoggedTo(ctx context.Context, region string, groups []string) ([]string, error) {
	flowLogs, err := c.describeFlowLogs(ctx, region, filterBy("log-group-name", groups))
	if err != nil {
		return nil, err
	}
	var vpcs []string
	for vpc, logs := range flowLogs {
		if slices.ContainsFunc(logs, func(fl plan.FlowLog) bool { return slices.Contains(groups, fl.LogGroup) }) {
			vpcs = append(vpcs, vpc)
		}
	}
	slices.Sort(vpcs)
	return vpcs, nil
}

// unlisted looks for the VPCs that relight's own flow logs stand on and that a
// listing of the region did not have. It asks for them by name, and again: a
// VPC that EC2 does not show yet is not gone.
func (c *Cloud) unlisted(
	ctx context.Context, region string, listed []plan.VPC, flowLogs map[string][]plan.FlowLog,
) (late []plan.VPC, gone []string, err error) {
	known := map[string]bool{}
	for _, v := range listed {
		known[v.ID] = true
	}
	var missing []string
	for id, logs := range flowLogs {
		if !known[id] && slices.ContainsFunc(logs, func(fl plan.FlowLog) bool { return fl.Ours }) {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	for names := range slices.Chunk(missing, catalog.FilterValues) {
		found, lost, err := c.describeVPCs(ctx, region, names)
		if err != nil {
			return nil, nil, err
		}
		late, gone = append(late, found...), append(gone, lost...)
	}
	return late, gone, nil
}

// describeVPCs returns the named VPCs, or all of the region for no names, and
// those named that do not exist. It asks by filter: asking by ID fails as a
// whole when one ID is gone.
func (c *Cloud) describeVPCs(ctx context.Context, region string, names []string) (found []plan.VPC, gone []string, err error) {
	for try := 0; ; try++ {
		found, err = c.listVPCs(ctx, region, filterBy("vpc-id", names))
		if err != nil {
			return nil, nil, err
		}
		gone = nil
		for _, name := range names {
			if !slices.ContainsFunc(found, func(v plan.VPC) bool { return v.ID == name }) {
				gone = append(gone, name)
			}
		}
		if len(gone) == 0 || try == len(notYet) {
			return found, gone, nil
		}
		if err := c.pause(ctx, notYet[try]); err != nil {
			return nil, nil, wrap("ec2.DescribeVpcs", region, err)
		}
	}
}

func (c *Cloud) listVPCs(ctx context.Context, region string, filters []types.Filter) ([]plan.VPC, error) {
	var vpcs []plan.VPC
	in := &ec2.DescribeVpcsInput{Filters: filters, MaxResults: aws.Int32(pageSize)}
	for {
		out, err := call(ctx, c.Pace, place{region, "ec2.DescribeVpcs", ""}, c.Clients.EC2.DescribeVpcs, in, ec2In(region))
		if err != nil {
			return nil, err
		}
		for _, v := range out.Vpcs {
			exempt := slices.ContainsFunc(v.Tags, func(t types.Tag) bool {
				return aws.ToString(t.Key) == catalog.ExemptTag && aws.ToString(t.Value) == catalog.ExemptValue
			})
			vpcs = append(vpcs, plan.VPC{ID: aws.ToString(v.VpcId), Owner: aws.ToString(v.OwnerId), Exempt: exempt})
		}
		if aws.ToString(out.NextToken) == "" {
			return vpcs, nil
		}
		in.NextToken = out.NextToken
	}
}

// describeFlowLogs returns the flow logs that match, by the VPC they are on.
func (c *Cloud) describeFlowLogs(ctx context.Context, region string, filters []types.Filter) (map[string][]plan.FlowLog, error) {
	byVPC := map[string][]plan.FlowLog{}
	err := c.listFlowLogs(ctx, region, filters, func(fl types.FlowLog) {
		id := aws.ToString(fl.ResourceId)
		if strings.HasPrefix(id, "vpc-") { // others are on subnets and interfaces
			byVPC[id] = append(byVPC[id], c.flowLog(fl))
		}
	})
	if err != nil {
		return nil, err
	}
	return byVPC, nil
}

func (c *Cloud) listFlowLogs(ctx context.Context, region string, filters []types.Filter, each func(types.FlowLog)) error {
	in := &ec2.DescribeFlowLogsInput{Filter: filters, MaxResults: aws.Int32(pageSize)}
	for {
		out, err := call(ctx, c.Pace, place{region, "ec2.DescribeFlowLogs", ""}, c.Clients.EC2.DescribeFlowLogs, in, ec2In(region))
		if err != nil {
			return err
		}
		for _, fl := range out.FlowLogs {
			each(fl)
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

func (c *Cloud) flowLog(fl types.FlowLog) plan.FlowLog {
	got := plan.FlowLog{
		ID:            aws.ToString(fl.FlowLogId),
		Status:        aws.ToString(fl.FlowLogStatus),
		Delivery:      aws.ToString(fl.DeliverLogsStatus),
		DeliveryError: aws.ToString(fl.DeliverLogsErrorMessage),
		TrafficType:   string(fl.TrafficType),
		Format:        aws.ToString(fl.LogFormat),
		Destination:   string(fl.LogDestinationType),
		Role:          aws.ToString(fl.DeliverLogsPermissionArn),
	}
	if got.Destination == "" {
		got.Destination = catalog.ToCloudWatchLogs // what EC2 takes for granted; CreateFlowLogs
	}
	if got.Format == "" {
		got.Format = catalog.DefaultFlowLogFormat
	}
	if got.Destination == catalog.ToCloudWatchLogs && fl.DeliverCrossAccountRole == nil { // else the group is another account's
		got.LogGroup = aws.ToString(fl.LogGroupName)
		if _, name, ok := strings.Cut(aws.ToString(fl.LogDestination), ":log-group:"); ok && got.LogGroup == "" {
			got.LogGroup = strings.TrimSuffix(name, ":*")
		}
	}
	for _, tag := range fl.Tags {
		got.Ours = got.Ours || aws.ToString(tag.Key) == catalog.OwnerTag && aws.ToString(tag.Value) == c.Want.Prefix
	}
	return got
}

// createFlowLogs creates the flow logs of all outcomes' actions, which share
// one spec, in as few calls as EC2 takes. A VPC that was seen a moment ago and
// that EC2 does not know is asked for again: its reads do not agree with each
// other. One that stays unknown is worth another run, which looks whether it
// is gone.
func (c *Cloud) createFlowLogs(ctx context.Context, region string, outcomes []*remedy.Outcome) {
	for batch := range slices.Chunk(outcomes, catalog.FlowLogsPerCall) {
		unknown := c.createFlowLogBatch(ctx, region, batch)
		for _, wait := range notYet {
			if len(unknown) == 0 || c.pause(ctx, wait) != nil {
				break
			}
			unknown = c.createFlowLogBatch(ctx, region, unknown)
		}
		for _, out := range unknown {
			out.Err = again(out.Err)
		}
	}
}

// createFlowLogBatch makes one call and returns the outcomes whose VPC EC2
// does not know. Where such a VPC fails a call as a whole, the call is split:
// it must not hold up the others.
func (c *Cloud) createFlowLogBatch(ctx context.Context, region string, batch []*remedy.Outcome) (unknown []*remedy.Outcome) {
	const op = "ec2.CreateFlowLogs"
	byVPC := map[string]*remedy.Outcome{}
	for _, out := range batch {
		byVPC[out.Action.Step().Target] = out
	}
	first := batch[0].Action.(plan.CreateFlowLog)
	if first.Role == "" {
		for vpc, out := range byVPC {
			out.Err = notDeployed(op, vpc, "delivery role")
		}
		return nil
	}
	in := &ec2.CreateFlowLogsInput{
		ClientToken:              aws.String(rand.Text()), // a token made from the spec would answer a second restore with the first, deleted flow log
		ResourceType:             types.FlowLogsResourceTypeVpc,
		TrafficType:              types.TrafficType(first.Spec.TrafficType),
		LogDestinationType:       types.LogDestinationTypeCloudWatchLogs,
		LogGroupName:             aws.String(first.Spec.LogGroup),
		DeliverLogsPermissionArn: aws.String(first.Role),
		MaxAggregationInterval:   aws.Int32(first.Spec.Aggregation),
		TagSpecifications:        []types.TagSpecification{{ResourceType: types.ResourceTypeVpcFlowLog}},
	}
	if first.Spec.Format != "" {
		in.LogFormat = aws.String(first.Spec.Format)
	}
	for _, k := range sortedKeys(first.Tags) {
		in.TagSpecifications[0].Tags = append(in.TagSpecifications[0].Tags, types.Tag{Key: aws.String(k), Value: aws.String(first.Tags[k])})
	}
	for _, out := range batch {
		in.ResourceIds = append(in.ResourceIds, out.Action.Step().Target)
	}
	reply, err := call(ctx, c.Pace, place{region, op, ""}, c.Clients.EC2.CreateFlowLogs, in, ec2In(region))
	if remedy.ClassOf(err) == remedy.Missing && len(batch) > 1 {
		half := len(batch) / 2
		return append(c.createFlowLogBatch(ctx, region, batch[:half]), c.createFlowLogBatch(ctx, region, batch[half:])...)
	}
	for _, out := range batch {
		out.Err = settled(err)
	}
	if err == nil { // EC2 reports per-resource failures in a successful reply
		for _, item := range reply.Unsuccessful {
			out, known := byVPC[aws.ToString(item.ResourceId)]
			if !known || item.Error == nil {
				continue
			}
			out.Err = settled(wrap(op, aws.ToString(item.ResourceId), &smithy.GenericAPIError{
				Code: aws.ToString(item.Error.Code), Message: aws.ToString(item.Error.Message),
			}))
		}
	}
	for _, out := range batch {
		if remedy.ClassOf(out.Err) == remedy.Missing {
			unknown = append(unknown, out)
		}
	}
	return unknown
}

// deleteFlowLogs deletes the flow logs of all outcomes' actions in as few
// calls as EC2 takes. The role may delete only what carries relight's tag, so
// what has lost it since it was looked at stays.
func (c *Cloud) deleteFlowLogs(ctx context.Context, region string, outcomes []*remedy.Outcome) {
	const op = "ec2.DeleteFlowLogs"
	for batch := range slices.Chunk(outcomes, catalog.FlowLogsPerDeletion) {
		in := &ec2.DeleteFlowLogsInput{}
		byID := map[string]*remedy.Outcome{}
		for _, out := range batch {
			in.FlowLogIds = append(in.FlowLogIds, out.Action.Step().Target)
			byID[out.Action.Step().Target] = out
		}
		reply, err := call(ctx, c.Pace, place{region, op, ""}, c.Clients.EC2.DeleteFlowLogs, in, ec2In(region))
		for _, out := range batch {
			out.Err = err
		}
		if err != nil {
			continue
		}
		for _, item := range reply.Unsuccessful { // as of CreateFlowLogs
			if out, known := byID[aws.ToString(item.ResourceId)]; known && item.Error != nil {
				out.Err = wrap(op, aws.ToString(item.ResourceId), &smithy.GenericAPIError{
					Code: aws.ToString(item.Error.Code), Message: aws.ToString(item.Error.Message),
				})
			}
		}
		for _, out := range batch {
			if remedy.ClassOf(out.Err) == remedy.Missing { // somebody else was faster
				out.Err = nil
			}
		}
	}
}

// settled drops the error of an action that somebody else made needless: the
// resource exists. Present may lie, so the second look decides.
func settled(err error) error {
	if remedy.ClassOf(err) == remedy.Present {
		return nil
	}
	return err
}

// filterBy returns the EC2 filter for names, or none for no names.
func filterBy(name string, values []string) []types.Filter {
	if len(values) == 0 {
		return nil
	}
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

// pause waits, unless the Cloud does not pace its calls.
func (c *Cloud) pause(ctx context.Context, d time.Duration) error {
	if c.Pace == nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
