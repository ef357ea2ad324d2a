//! The game's UDP port: renet's messages over renetcode's connections, on one socket.
//! It deliberately decides nothing about players. It is a transport of its own, and not renet_netcode's, for one reason: datagrams are counted.

use crate::config::Config;
use crate::metrics::Metrics;
use renet::{ConnectionConfig, RenetServer};
use renetcode::{NetcodeServer, ServerAuthentication, ServerConfig, ServerResult, NETCODE_MAX_PACKET_BYTES, NETCODE_USER_DATA_BYTES};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Beyond the capacity: connections whose claim is under way, and those of players who come back before the old one has timed out. The broker counts
/// places; netcode's "server is full" must not come first.
const SPARE_CONNECTIONS: usize = 16;
/// What renetcode has room for.
const MOST_CONNECTIONS: usize = 1024;

/// The port.
pub struct Port {
    socket: UdpSocket,
    netcode: NetcodeServer,
    buffer: [u8; NETCODE_MAX_PACKET_BYTES],
    /// Where the connected ones send from.
    addresses: HashMap<SocketAddr, u64>,
    /// Messages by connection.
    pub server: RenetServer,
}

impl Port {
    /// Binds it.
    ///
    /// # Errors
    /// When the port is taken, or the address is not the machine's.
    pub fn bind(config: &Config) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(config.bind, config.address.port()))?;
        socket.set_nonblocking(true)?;
        let netcode = NetcodeServer::new(ServerConfig {
            // Unix time: it is compared with the end of tokens.
            current_time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            max_clients: (config.capacity + SPARE_CONNECTIONS).min(MOST_CONNECTIONS),
            protocol_id: config.protocol_id,
            // What the broker writes into the private list, and nothing that players dial: a token for another server fails here.
            public_addresses: vec![config.address],
            authentication: ServerAuthentication::Secure { private_key: config.key },
        });
        let server = RenetServer::new(ConnectionConfig::default());
        Ok(Self { socket, netcode, buffer: [0; NETCODE_MAX_PACKET_BYTES], addresses: HashMap::new(), server })
    }

    /// The 256 bytes of a connection's token.
    pub fn user_data(&self, client_id: u64) -> Option<[u8; NETCODE_USER_DATA_BYTES]> {
        self.netcode.user_data(client_id)
    }

    /// Takes what has come, and carries on the handshakes and ends of connections.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn receive(&mut self, passed: Duration, metrics: &Metrics) -> io::Result<()> {
        self.server.update(passed);
        self.netcode.update(passed);
        let Self { socket, netcode, buffer, addresses, server } = self;
        loop {
            match socket.recv_from(buffer) {
                Ok((length, from)) => {
                    if addresses.contains_key(&from) {
                        metrics.packets_received.inc();
                    }
                    handle(netcode.process_packet(from, &mut buffer[..length]), socket, server, addresses);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // An earlier datagram found nobody: its client has gone and times out.
                Err(error)
                    if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
        for client_id in netcode.clients_id() {
            handle(netcode.update_client(client_id), socket, server, addresses);
        }
        for client_id in server.disconnections_id() {
            handle(netcode.disconnect(client_id), socket, server, addresses);
        }
        Ok(())
    }

    /// Sends what has been written.
    pub fn send(&mut self) {
        for client_id in self.server.clients_id() {
            let Ok(packets) = self.server.get_packets_to_send(client_id) else { continue };
            for packet in packets {
                match self.netcode.generate_payload_packet(client_id, &packet) {
                    // What cannot be sent is lost, as on the way.
                    Ok((to, payload)) => drop(self.socket.send_to(payload, to)),
                    Err(_) => break,
                }
            }
        }
    }

    /// Says goodbye to everybody, at once.
    pub fn disconnect_all(&mut self) {
        let Self { socket, netcode, addresses, server, .. } = self;
        for client_id in netcode.clients_id() {
            handle(netcode.disconnect(client_id), socket, server, addresses);
        }
    }
}

fn handle(result: ServerResult, socket: &UdpSocket, server: &mut RenetServer, addresses: &mut HashMap<SocketAddr, u64>) {
    let send = |payload: &[u8], to: SocketAddr| drop(socket.send_to(payload, to));
    match result {
        ServerResult::None => {}
        ServerResult::PacketToSend { payload, addr } => send(payload, addr),
        // Of somebody who left a moment ago.
        ServerResult::Payload { client_id, payload } => drop(server.process_packet_from(payload, client_id)),
        ServerResult::ClientConnected { client_id, addr, payload, .. } => {
            addresses.insert(addr, client_id);
            server.add_connection(client_id);
            send(payload, addr);
        }
        ServerResult::ClientDisconnected { client_id, addr, payload } => {
            addresses.remove(&addr);
            server.remove_connection(client_id);
            if let Some(payload) = payload {
                send(payload, addr);
            }
        }
    }
}
