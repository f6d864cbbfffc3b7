package awsio

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
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

func (r *region) ec2() *ec2.Client { return client(r, ec2.NewFromConfig) }

// pageSize is the number of items that relight requests from EC2 listings;
// DescribeVpcs returns at most 1,000.
const pageSize = 1000

// notYet lists the waits before relight asks again for a VPC that an event
// names and EC2 does not show: EC2's reads lag its writes. Source: Amazon EC2
// API Reference, "Eventual consistency".
var notYet = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

// FlowLogs returns the kind whose plans create flow logs, with what they deliver to.
func FlowLogs() Kind {
	return kindOf(
		catalog.FlowLogs,
		(*region).observeFlowLogs,
		append(
			logGroupAppliers(),
			together[plan.CreateFlowLog]((*region).createFlowLogs),
			together[plan.DeleteFlowLog]((*region).deleteFlowLogs),
			each((*region).tagFlowLog),
			each((*region).putFilter), // on the log group of the flow logs, with its alarm
			each((*region).putAlarm),
		)...,
	)
}

func (r *region) observeFlowLogs(ctx context.Context, s remedy.Scope) (*plan.FlowLogState, error) {
	names := s.Names.List()
	before, _ := remedy.Before(ctx).(*plan.FlowLogState) // on which a verification relies
	switch s.Type {
	case catalog.Bucket, catalog.Stream:
		return r.observeDestinations(ctx, s.Type, names)
	case catalog.Key: // of the group for relight's own flow logs; sweeps look at those of other groups
		groups, err := r.describeLogGroups(ctx, r.ownGroups(), nil)
		return &plan.FlowLogState{LogGroups: groups}, err
	case catalog.Filter, catalog.Alarm:
		return r.observeCounters(ctx, s)
	case catalog.Region, catalog.AccountPolicy: // the policy and the event contain everything needed
		return &plan.FlowLogState{}, nil
	case catalog.LogGroup:
		if before != nil {
			names = before.IDs()
		} else if len(names) > 0 {
			var err error
			if names, err = r.loggedTo(ctx, names); err != nil || len(names) == 0 {
				return &plan.FlowLogState{}, err
			}
		}
		if len(names) > remedy.MaxNames {
			names = nil
		}
	}
	if len(names) > 0 && s.Type != catalog.LogGroup {
		before = nil // what is named is read again
	}
	state := &plan.FlowLogState{}
	networks, gone, flowLogs, err := r.describeFlows(ctx, names, before)
	if err != nil {
		return nil, err
	}
	state.Networks = networks
	if flowLogs == nil {
		return state, nil
	}
	if len(names) == 0 {
		late, lost, err := r.unlisted(ctx, networks, flowLogs)
		if err != nil {
			return nil, err
		}
		networks, gone = append(networks, late...), lost // unlisted finds again what is gone
	}
	state.Networks = networks
	for _, id := range gone {
		state.Gone = append(state.Gone, plan.Network{ID: id, FlowLogs: flowLogs[id]})
	}
	if len(state.Networks) == 0 { // only flow logs need log groups and buckets
		return state, nil
	}
	groups := r.ownGroups()
	protected := slices.Clone(groups) // others by name only: an account may have a group for each VPC
	if s.Type == catalog.LogGroup {
		protected = append(protected, s.Names.List()...)
	}
	for i := range state.Networks {
		state.Networks[i].FlowLogs = flowLogs[state.Networks[i].ID]
		for _, fl := range state.Networks[i].FlowLogs {
			if fl.LogGroup != "" {
				groups = append(groups, fl.LogGroup)
			}
		}
	}
	err = atOnce(
		func() (err error) {
			state.LogGroups, err = r.describeLogGroups(ctx, groups, protected)
			return err
		},
		recalling(ctx, plan.NeedsAdopted(r.Want, plan.Observed{Region: s.Region, State: state})),
	)
	if err != nil {
		return nil, err
	}
	if s.Type == "" {
		if before != nil {
			state.Account, state.Unread = before.Account, before.Unread
		} else if err := r.describeReadable(ctx, state); err != nil {
			return nil, err
		}
		if err := r.readBuckets(ctx, state, nil); err != nil {
			return nil, err
		}
	}
	if _, exists := state.LogGroups[r.Want.FlowLogs.LogGroup]; r.counts() && (!exists || s.Type == "" || slices.Contains(s.Names.List(), r.Want.FlowLogs.LogGroup)) {
		if _, err := r.readRecords(ctx, state); err != nil {
			return nil, err
		}
	}
	return state, r.whyFailed(ctx, state)
}

// describeFlows returns the named networks, or all of the region that need flow logs,
// the named ones that do not exist, and the flow logs of all of these, by what they are
// on. The flow logs are nil, and not read, if nothing is named that needs any. Only a
// subnet or a network interface shows whether it is one that the configuration chooses;
// for anything else relight reads networks and flow logs at once. The networks that were
// there before a repair are not read again.
func (r *region) describeFlows(ctx context.Context, names []string, before *plan.FlowLogState) (networks []plan.Network, gone []string, flowLogs map[string][]plan.FlowLog, err error) {
	readNetworks := func() (err error) {
		if before != nil {
			networks = slices.Clone(before.Networks)
			for _, n := range before.Gone {
				gone = append(gone, n.ID)
			}
			return nil
		}
		networks, gone, err = r.describeNetworks(ctx, names)
		return err
	}
	readFlowLogs := func() (err error) {
		flowLogs, err = r.describeFlowLogs(ctx, filterBy("resource-id", names))
		return err
	}
	isVPC := func(name string) bool { return catalog.NetworkType(name) == catalog.VPC }
	if len(names) == 0 || slices.ContainsFunc(names, isVPC) {
		err = atOnce(readNetworks, readFlowLogs)
		return networks, gone, flowLogs, err
	}
	chosen := func(n plan.Network) bool { return !n.Unchosen }
	if err = readNetworks(); err != nil || len(gone) == 0 && !slices.ContainsFunc(networks, chosen) {
		return networks, gone, nil, err
	}
	err = readFlowLogs()
	return networks, gone, flowLogs, err
}

// ownGroups returns the log group of relight's own flow logs, or none if they go to
// buckets or streams: what the configuration chooses has the destination of the VPCs, or
// a bucket or stream.
func (r *region) ownGroups() []string {
	if group := r.Want.FlowLogs.OwnGroup(); group != "" {
		return []string{group}
	}
	return nil
}

// describeReadable reads what keeps people from reading the flow log records as they
// were written: the keys of the log groups, and account-wide policies.
func (r *region) describeReadable(ctx context.Context, state *plan.FlowLogState) (err error) {
	if state.Unread, err = r.describeGroupKeys(ctx, state.LogGroups); err != nil || len(state.LogGroups) == 0 {
		return err
	}
	if state.Account, err = r.transformerPolicies(ctx); err != nil {
		missed, failed := unread(plan.AccountPoliciesUnread, plan.Args{"group": sortedKeys(state.LogGroups)[0]}, err)
		state.Unread, err = append(state.Unread, missed...), failed
	}
	return err
}

// observeDestinations reads to which buckets or streams the region's flow logs deliver,
// and the bucket of relight's own if it is among the names.
func (r *region) observeDestinations(ctx context.Context, of catalog.ResourceType, names []string) (*plan.FlowLogState, error) {
	state := &plan.FlowLogState{}
	kind, found := catalog.ToS3, &state.Buckets
	if of == catalog.Stream {
		kind, found = catalog.ToFirehose, &state.Streams
	}
	err := r.listFlowLogs(ctx, filterBy("log-destination-type", []string{kind}), func(fl types.FlowLog) {
		name, _, _ := strings.Cut(resourceOf(aws.ToString(fl.LogDestination), "deliverystream/"), "/") // arn:PARTITION:s3:::BUCKET/FOLDER
		if name != "" && !slices.Contains(*found, name) {
			*found = append(*found, name)
		}
	})
	if err != nil || of != catalog.Bucket || len(names) == 0 {
		return state, err
	}
	return state, r.readBuckets(ctx, state, names)
}

// loggedTo returns the networks whose flow logs deliver to one of the groups.
func (r *region) loggedTo(ctx context.Context, groups []string) ([]string, error) {
	flowLogs, err := r.describeFlowLogs(ctx, filterBy("log-group-name", groups))
	if err != nil {
		return nil, err
	}
	var ids []string
	for id, logs := range flowLogs {
		if slices.ContainsFunc(logs, func(fl plan.FlowLog) bool { return slices.Contains(groups, fl.LogGroup) }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// describeFlowLogs returns the flow logs that match, by what they are on: VPCs, and
// the subnets and network interfaces if the configuration chooses some.
func (r *region) describeFlowLogs(ctx context.Context, filters []types.Filter) (map[string][]plan.FlowLog, error) {
	on := map[string][]plan.FlowLog{}
	err := r.listFlowLogs(ctx, filters, func(fl types.FlowLog) {
		if id := aws.ToString(fl.ResourceId); r.Want.FlowLogs.Keeps(catalog.NetworkType(id)) {
			on[id] = append(on[id], r.flowLog(fl))
		}
	})
	if err != nil {
		return nil, err
	}
	return on, nil
}

func (r *region) listFlowLogs(ctx context.Context, filters []types.Filter, each func(types.FlowLog)) error {
	in := &ec2.DescribeFlowLogsInput{Filter: filters, MaxResults: aws.Int32(pageSize)}
	for page, err := range pages(ctx, ec2.NewDescribeFlowLogsPaginator(r.ec2(), in)) {
		if err != nil {
			return err
		}
		for _, fl := range page.FlowLogs {
			each(fl)
		}
	}
	return nil
}

// destinationOf returns the ARN of what a flow log delivers to, and the folder in
// a bucket. EC2 may show a log group by its name alone.
func (r *region) destinationOf(fl types.FlowLog, got plan.FlowLog) (where, folder string) {
	where = strings.TrimSuffix(aws.ToString(fl.LogDestination), ":*")
	if got.LogGroup != "" {
		in, _ := catalog.PartitionOf(r.name)
		return "arn:" + in.ID + ":logs:" + r.name + ":" + r.account + ":log-group:" + got.LogGroup, ""
	}
	if got.Destination == catalog.ToS3 {
		where, folder, _ = strings.Cut(where, "/")
	}
	return where, strings.TrimSuffix(folder, "/")
}

func (r *region) flowLog(fl types.FlowLog) plan.FlowLog {
	got := plan.FlowLog{
		ID:            aws.ToString(fl.FlowLogId),
		Status:        aws.ToString(fl.FlowLogStatus),
		Delivery:      aws.ToString(fl.DeliverLogsStatus),
		DeliveryError: aws.ToString(fl.DeliverLogsErrorMessage),
		TrafficType:   string(fl.TrafficType),
		Format:        aws.ToString(fl.LogFormat),
		Aggregation:   aws.ToInt32(fl.MaxAggregationInterval),
		Destination:   string(fl.LogDestinationType),
		Role:          aws.ToString(fl.DeliverLogsPermissionArn),
	}
	if got.Destination == "" {
		got.Destination = catalog.ToCloudWatchLogs // EC2's default; source: CreateFlowLogs
	}
	if got.Format == "" {
		got.Format = catalog.DefaultFlowLogFormat
	}
	if got.Destination == catalog.ToCloudWatchLogs && fl.DeliverCrossAccountRole == nil { // otherwise the group belongs to another account
		got.LogGroup = aws.ToString(fl.LogGroupName)
		if got.LogGroup == "" {
			got.LogGroup = resourceOf(aws.ToString(fl.LogDestination), "log-group:")
		}
	}
	if r.Now != nil && fl.CreationTime != nil {
		got.Age = max(0, int64(r.Now().Sub(*fl.CreationTime).Seconds()))
	}
	if o := fl.DestinationOptions; o != nil {
		got.Files = catalog.Files{
			Parquet: o.FileFormat == types.DestinationFileFormatParquet,
			Hive:    aws.ToBool(o.HiveCompatiblePartitions), Hourly: aws.ToBool(o.PerHourPartition),
		}
	}
	got.Where, got.Folder = r.destinationOf(fl, got)
	spec := r.Want.For(aws.ToString(fl.ResourceId), r.name).FlowLogs
	intoOurs, role := got.Into(spec), cmp.Or(spec.To.Role, r.Want.DeliveryRole)
	asOurs := got.Role != "" && got.Role == role
	tagged := slices.ContainsFunc(fl.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == catalog.OwnerTag && aws.ToString(t.Value) == r.Want.Prefix
	})
	got.Ours = tagged && (intoOurs || asOurs) || intoOurs && asOurs
	got.Untagged = got.Ours && !tagged
	return got
}

func (r *region) tagFlowLog(ctx context.Context, a plan.TagFlowLog) error {
	in := &ec2.CreateTagsInput{Resources: []string{a.ID}}
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(a.Tags[key])})
	}
	_, err := r.ec2().CreateTags(ctx, in)
	return gone(err) // deleted a moment ago
}

// Codes with which EC2 refuses a flow log for one VPC, because of those it has.
// Source: Error codes for the Amazon EC2 API.
const (
	duplicateCode = "FlowLogAlreadyExists"
	tooManyCode   = "FlowLogsLimitExceeded"
)

// createFlowLogs creates the flow logs of all outcomes' actions. Those on resources
// of one type share one spec, and one call takes one type.
func (r *region) createFlowLogs(ctx context.Context, outcomes []*remedy.Outcome) {
	byType := map[catalog.ResourceType][]*remedy.Outcome{}
	for _, out := range outcomes {
		of := catalog.NetworkType(out.Action.(plan.CreateFlowLog).On)
		byType[of] = append(byType[of], out)
	}
	for _, of := range catalog.NetworkTypes {
		r.createOnAll(ctx, byType[of])
	}
}

// createOnAll creates flow logs that share one spec. It then finds out what is in the
// way of those that EC2 refuses, and where that helps creates flow logs that record ALL
// instead.
func (r *region) createOnAll(ctx context.Context, outcomes []*remedy.Outcome) {
	traffic := ""
	for len(outcomes) > 0 {
		traffic = cmp.Or(traffic, outcomes[0].Action.(plan.CreateFlowLog).Spec.TrafficType)
		for batch := range slices.Chunk(outcomes, catalog.FlowLogsPerCall) {
			r.createOn(ctx, batch, traffic)
		}
		traffic, outcomes = r.afterRefusals(ctx, outcomes, traffic)
	}
}

// createOn creates flow logs in as few calls as EC2 allows. EC2's reads may
// contradict each other: EC2 may not know a VPC that it showed a moment ago, so
// relight asks again. If the VPC stays unknown, the action is worth another run,
// which reads whether the VPC is gone.
func (r *region) createOn(ctx context.Context, batch []*remedy.Outcome, traffic string) {
	unknown := r.createFlowLogBatch(ctx, batch, traffic)
	for _, wait := range notYet {
		if len(unknown) == 0 || r.pause(ctx, wait) != nil {
			break
		}
		unknown = r.createFlowLogBatch(ctx, unknown, traffic)
	}
	for _, out := range unknown {
		out.Err = again(out.Err)
	}
}

// afterRefusals reads which flow logs the VPCs have that EC2 refuses another one,
// and sets the outcomes accordingly. It returns the outcomes to try again, and with
// which traffic.
func (r *region) afterRefusals(ctx context.Context, outcomes []*remedy.Outcome, traffic string) (instead string, retry []*remedy.Outcome) {
	var refused []*remedy.Outcome
	for _, out := range outcomes {
		if slices.Contains([]string{duplicateCode, tooManyCode}, codeOf(out.Err)) {
			refused = append(refused, out)
		}
	}
	for batch := range slices.Chunk(refused, catalog.FilterValues) {
		var vpcs []string
		for _, out := range batch {
			vpcs = append(vpcs, out.Action.(plan.CreateFlowLog).On)
		}
		flowLogs, err := r.describeFlowLogs(ctx, filterBy("resource-id", vpcs))
		for i, out := range batch {
			if err != nil { // nobody knows what is in the way: the next run does
				out.Err = transient(out.Err)
				continue
			}
			action, has := out.Action.(plan.CreateFlowLog), flowLogs[vpcs[i]]
			if codeOf(out.Err) == tooManyCode {
				if f := action.AfterLimit(has); f != nil {
					out.Findings = append(out.Findings, *f)
				}
				continue
			}
			switch way := action.AfterDuplicate(traffic, has); {
			case way.Done:
				out.Err = nil
			case way.Traffic != "":
				instead, retry = way.Traffic, append(retry, out)
			case way.Finding != nil:
				out.Findings = append(out.Findings, *way.Finding)
			default:
				out.Err = transient(out.Err)
			}
		}
	}
	return instead, retry
}

// createFlowLogBatch makes one call and returns the outcomes whose VPC EC2 does
// not know. If one VPC fails the call as a whole, it splits the call, so that the
// VPC does not delay the others.
func (r *region) createFlowLogBatch(ctx context.Context, batch []*remedy.Outcome, traffic string) (unknown []*remedy.Outcome) {
	const op = "ec2.CreateFlowLogs"
	first := batch[0].Action.(plan.CreateFlowLog)
	in := newFlowLogs(first, traffic)
	for _, out := range batch {
		on := out.Action.(plan.CreateFlowLog).On
		in.ResourceIds = append(in.ResourceIds, on)
		if first.Spec.To.ARN == "" && first.Role == "" {
			out.Err = notDeployed(op, on, "delivery role")
		}
	}
	if first.Spec.To.ARN == "" && first.Role == "" {
		return nil
	}
	var reply *ec2.CreateFlowLogsOutput
	without, refusal, err := createWithout(func(without []string) (err error) {
		if len(without) > 0 {
			in.TagSpecifications, in.ClientToken = nil, aws.String(rand.Text())
		}
		reply, err = r.ec2().CreateFlowLogs(ctx, in)
		return err
	}, blamesTags, partTags) // relight knows its own flow logs by their tag: it must not lack for any other reason
	ofOneVPC := remedy.ClassOf(err) == remedy.Missing || slices.Contains([]string{duplicateCode, tooManyCode}, codeOf(err))
	if ofOneVPC && len(batch) > 1 {
		half := len(batch) / 2
		return append(r.createFlowLogBatch(ctx, batch[:half], traffic), r.createFlowLogBatch(ctx, batch[half:], traffic)...)
	}
	var refused map[string]error
	if err == nil {
		refused = refusals(op, reply.Unsuccessful)
	}
	untagged := incomplete("the flow log", without, refusal, ": relight does not recognise it as its own")
	for i, out := range batch {
		out.Err = cmp.Or(err, refused[in.ResourceIds[i]], untagged)
		if remedy.ClassOf(out.Err) == remedy.Missing {
			unknown = append(unknown, out)
		}
	}
	return unknown
}

// newFlowLogs returns the request for flow logs like that of an action, without the
// resources that they are on. A flow log to a bucket takes no role, and one to a stream
// takes a role only if the stream is in another account. Source: EC2 API Reference,
// CreateFlowLogs, DeliverLogsPermissionArn.
func newFlowLogs(a plan.CreateFlowLog, traffic string) *ec2.CreateFlowLogsInput {
	in := &ec2.CreateFlowLogsInput{
		ClientToken:            aws.String(rand.Text()), // with a token made from the spec, EC2 would answer a second restore with the first, deleted flow log
		ResourceType:           flowLogTypes[catalog.NetworkType(a.On)],
		TrafficType:            types.TrafficType(traffic),
		LogDestinationType:     types.LogDestinationType(a.Spec.ToType()),
		LogFormat:              nonzero(a.Spec.Format),
		MaxAggregationInterval: aws.Int32(a.Spec.Aggregation),
		TagSpecifications: []types.TagSpecification{{
			ResourceType: types.ResourceTypeVpcFlowLog,
			Tags:         tagList(a.Tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} }),
		}},
	}
	if to := a.Spec.To; to.ARN == "" {
		in.LogGroupName, in.DeliverLogsPermissionArn = aws.String(a.Spec.LogGroup), aws.String(a.Role)
	} else {
		in.LogDestination = aws.String(to.ARN)
		in.DeliverLogsPermissionArn, in.DeliverCrossAccountRole = nonzero(to.Role), nonzero(to.CrossAccountRole)
		if f := to.Files; f != (catalog.Files{}) {
			in.DestinationOptions = &types.DestinationOptionsRequest{HiveCompatiblePartitions: aws.Bool(f.Hive), PerHourPartition: aws.Bool(f.Hourly), FileFormat: types.DestinationFileFormatPlainText}
			if f.Parquet {
				in.DestinationOptions.FileFormat = types.DestinationFileFormatParquet
			}
		}
	}
	return in
}

var flowLogTypes = map[catalog.ResourceType]types.FlowLogsResourceType{
	catalog.VPC: types.FlowLogsResourceTypeVpc, catalog.Subnet: types.FlowLogsResourceTypeSubnet, catalog.Interface: types.FlowLogsResourceTypeNetworkInterface,
}

// deleteFlowLogs deletes the flow logs of all outcomes' actions in as few calls
// as EC2 allows. The role may delete only flow logs with relight's tag, so a
// flow log that has lost its tag since the run read it stays.
func (r *region) deleteFlowLogs(ctx context.Context, outcomes []*remedy.Outcome) {
	for batch := range slices.Chunk(outcomes, catalog.FlowLogsPerDeletion) {
		r.deleteFlowLogBatch(ctx, batch)
	}
}

// deleteFlowLogBatch makes one call. If one flow log that is gone fails the call
// as a whole, it splits the call.
func (r *region) deleteFlowLogBatch(ctx context.Context, batch []*remedy.Outcome) {
	in := &ec2.DeleteFlowLogsInput{}
	for _, out := range batch {
		in.FlowLogIds = append(in.FlowLogIds, out.Action.(plan.DeleteFlowLog).ID)
	}
	reply, err := r.ec2().DeleteFlowLogs(ctx, in)
	if half := len(batch) / 2; remedy.ClassOf(err) == remedy.Missing && half > 0 {
		r.deleteFlowLogBatch(ctx, batch[:half])
		r.deleteFlowLogBatch(ctx, batch[half:])
		return
	}
	var refused map[string]error
	if err == nil {
		refused = refusals("ec2.DeleteFlowLogs", reply.Unsuccessful)
	}
	for i, out := range batch {
		out.Err = gone(cmp.Or(err, refused[in.FlowLogIds[i]]))
	}
}

// refusals returns the errors that EC2 reports for single resources in a
// successful reply, by resource ID.
func refusals(op string, items []types.UnsuccessfulItem) map[string]error {
	refused := map[string]error{}
	for _, item := range items {
		if id := aws.ToString(item.ResourceId); item.Error != nil {
			refused[id] = wrap(op, id, &smithy.GenericAPIError{Code: aws.ToString(item.Error.Code), Message: aws.ToString(item.Error.Message)})
		}
	}
	return refused
}

// filterBy returns the EC2 filter for names, or none if no names are given.
func filterBy(name string, values []string) []types.Filter {
	if len(values) == 0 {
		return nil
	}
	return []types.Filter{{Name: aws.String(name), Values: values}}
}
