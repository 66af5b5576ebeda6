package fields

// Resource logs of Azure services that are no kind of their own: the storage
// services (learn.microsoft.com/azure/storage/blobs/monitor-blob-storage-reference).
var resourceSchema = schema{
	open:  true,
	roots: names(envelope, workspace, `schemaVersion statusCode statusText protocol uri resourceType`),
	properties: names(`accountName userAgentHeader referrerHeader clientRequestId etag serverLatencyMs serviceType operationCount requestHeaderSize
		requestBodySize requestMd5 responseMd5 responseHeaderSize responseBodySize contentLengthHeader lastModifiedTime conditionsUsed objectKey
		tlsVersion sourceAccessTier accessTier rehydratePriority smbTreeConnectID downloadRange sasExpiryStatus metricResponseType`),
}

var resourceFields = Mapping{schema: &resourceSchema, names: map[string]string{"operationname": "operationName"}}
