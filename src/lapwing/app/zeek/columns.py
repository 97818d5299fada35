"""Columns and types of the logs, in the order of their header lines."""

_FLOW = "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port "

_SPELLED = {
    "conn": _FLOW
    + "proto:enum service:string duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool"
    " local_resp:bool missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count"
    " resp_ip_bytes:count tunnel_parents:set[string] ip_proto:count",
    "http": _FLOW
    + "trans_depth:count method:string host:string uri:string referrer:string version:string user_agent:string"
    " origin:string request_body_len:count response_body_len:count status_code:count status_msg:string info_code:count"
    " info_msg:string tags:set[enum] username:string password:string proxied:set[string] orig_fuids:vector[string]"
    " orig_filenames:vector[string] orig_mime_types:vector[string] resp_fuids:vector[string]"
    " resp_filenames:vector[string] resp_mime_types:vector[string]",
    "dns": _FLOW + "proto:enum trans_id:count rtt:interval query:string qclass:count qclass_name:string qtype:count"
    " qtype_name:string rcode:count rcode_name:string AA:bool TC:bool RD:bool RA:bool Z:count answers:vector[string]"
    " TTLs:vector[interval] rejected:bool opcode:count opcode_name:string",
    "ftp": _FLOW
    + "user:string password:string command:string arg:string mime_type:string file_size:count reply_code:count"
    " reply_msg:string data_channel.passive:bool data_channel.orig_h:addr data_channel.resp_h:addr"
    " data_channel.resp_p:port fuid:string",
    "smtp": _FLOW
    + "trans_depth:count helo:string mailfrom:string rcptto:set[string] date:string from:string to:set[string]"
    " cc:set[string] reply_to:string msg_id:string in_reply_to:string subject:string x_originating_ip:addr"
    " first_received:string second_received:string last_reply:string path:vector[addr] user_agent:string tls:bool"
    " fuids:vector[string]",
    "ssh": _FLOW + "version:count auth_success:bool auth_attempts:count direction:enum client:string server:string"
    " cipher_alg:string mac_alg:string compression_alg:string kex_alg:string host_key_alg:string"
    " host_key_fingerprint:string",
    "ssl": _FLOW + "version:string cipher:string curve:string server_name:string resumed:bool last_alert:string"
    " next_protocol:string established:bool ssl_history:string cert_chain_fps:vector[string]"
    " client_cert_chain_fps:vector[string] sni_matches_cert:bool",
    "quic": _FLOW + "version:string client_initial_dcid:string client_scid:string server_scid:string"
    " server_name:string client_protocol:string history:string",
    "ntp": _FLOW + "version:count mode:count stratum:count poll:interval precision:interval root_delay:interval"
    " root_disp:interval ref_id:string ref_time:time org_time:time rec_time:time xmt_time:time num_exts:count",
    "ldap": _FLOW + "message_id:int version:int opcode:string result:string diagnostic_message:string object:string"
    " argument:string",
    "ldap_search": _FLOW + "message_id:int scope:string deref_aliases:string base_object:string result_count:count"
    " result:string diagnostic_message:string filter:string attributes:vector[string]",
    "websocket": _FLOW + "host:string uri:string user_agent:string subprotocol:string client_protocols:vector[string]"
    " server_extensions:vector[string] client_extensions:vector[string]",
    "tunnel": _FLOW + "tunnel_type:enum action:enum",
    "weird": _FLOW + "name:string addl:string notice:bool peer:string source:string",
    "files": "ts:time fuid:string "
    + _FLOW.removeprefix("ts:time ")
    + "source:string depth:count analyzers:set[string] mime_type:string filename:string duration:interval"
    " local_orig:bool is_orig:bool seen_bytes:count total_bytes:count missing_bytes:count overflow_bytes:count"
    " timedout:bool parent_fuid:string md5:string sha1:string sha256:string extracted:string extracted_cutoff:bool"
    " extracted_size:count mime_type_declared:string",
    "dhcp": "ts:time uids:set[string] client_addr:addr server_addr:addr mac:string host_name:string"
    " client_fqdn:string domain:string requested_addr:addr assigned_addr:addr lease_time:interval"
    " client_message:string server_message:string msg_types:vector[string] duration:interval",
}

VLAN_COLUMNS = (("vlan", "int"), ("inner_vlan", "int"))  # behind those of conn.log, when asked for

COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    log: tuple((name, kind) for name, _, kind in (word.partition(":") for word in text.split()))
    for log, text in _SPELLED.items()
}
